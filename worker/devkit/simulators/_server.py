"""Serve a simulated provider on loopback, whose sessions are steered over HTTP."""

import dataclasses
from collections.abc import Iterable

from aiohttp import web

from worker.devkit.simulators import _control_api, _faults, _pages, _protocol

answer = _faults.answer
disturbed = _faults.inject_faults


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A simulated provider that is listening."""

    name: str
    host: str
    port: int
    runner: web.AppRunner = dataclasses.field(repr=False)
    dashboard: _pages.PersonControls = dataclasses.field(repr=False)

    @property
    def base_url(self) -> str:
        """Return what the source's ``base_url`` must be."""
        return f"http://{self.host}:{self.port}"

    async def close(self) -> None:
        """Stop listening; idempotent."""
        await self.runner.cleanup()


async def serve(
    simulator: _protocol.Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ingress_url: str | None = None,
) -> Served:
    """
    Serve the API and ``/_sim/{provider}/sessions``; port 0 is any free port.

    *ingress_url* is where callbacks go when a person finishes in a browser; the
    dashboard of what is returned can still be told.
    """
    app = simulator.app()
    app[_pages.DASHBOARD] = dashboard = _pages.PersonControls(ingress_url=ingress_url)
    _control_api.add(app, simulator)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a hanging call ends with its client
        shutdown_timeout=0.1,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return Served(
        name=simulator.name,
        host=host,
        port=runner.addresses[0][1],
        runner=runner,
        dashboard=dashboard,
    )


async def serve_all(
    simulators: Iterable[_protocol.Simulator],
    *,
    host: str = "127.0.0.1",
    first_port: int = 0,
    ingress_url: str | None = None,
) -> list[Served]:
    """
    Serve each on a port of its own, in order from *first_port*; 0 is any free ones.

    A path cannot tell them apart, since ``base_url`` has none. Raises OSError where a
    port is taken; nothing is left listening then.
    """
    served: list[Served] = []
    try:
        for place, simulator in enumerate(simulators):
            port = first_port + place if first_port else 0
            served.append(
                await serve(simulator, host=host, port=port, ingress_url=ingress_url)
            )
    except OSError:
        for one in served:
            await one.close()
        raise
    return served
