"""Play the providers on ports of their own: ``simulate``."""

import asyncio

import click

from worker import clock as clocks
from worker import settings
from worker.app import lifecycle, sources
from worker.cli import _common
from worker.devkit import simulators
from worker.telemetry import logs


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65000),
    default=8090,
    show_default=True,
    help="The first port; each source has its own, in order.",
)
@click.option(
    "--deliver-to",
    metavar="URL",
    help="The ingress that is called when a person finishes in a browser.",
)
@_common.config_option
def simulate(port: int, deliver_to: str | None, config: str | None) -> None:
    """
    Play the providers of the configured sources, to rehearse an integration offline.

    Point the settings of each source at the address printed for them. POST
    /_sim/PROVIDER/sessions there with {"scenario": {…}, "deliver_to":
    "http://127.0.0.1:8080"} makes a session and sends its callbacks; GET
    /_sim/PROVIDER/sessions/ID tells what its decision must be.

    A session that was begun waits for its person: open its address in a browser, or
    POST …/sessions/ID/person with {"does": "finish", "scenario": {…}, "deliver_to": …}.
    """
    _common.run(_simulate(port, deliver_to, config))


async def _simulate(port: int, deliver_to: str | None, config: str | None) -> None:
    logs.configure(console=_common.configure_console_logs())
    loaded = _common.load(config, settings.Role.ALL)
    built = sources.build_sources(loaded, clocks.SystemClock())
    if not built:
        raise click.ClickException("no source is configured: there is nobody to play")
    playing = [
        simulators.find(each.entry.name).build(
            simulators.Account(source=name, settings=each.settings)
        )
        for name, each in built.items()
    ]
    with lifecycle.shutdown_on_signals() as stop:
        served = await simulators.serve_all(
            playing, first_port=port, ingress_url=deliver_to
        )
        for name, simulator, one in zip(built, playing, served, strict=True):
            for setting in simulator.addresses:
                click.echo(f'[sources.{name}] {setting} = "{one.base_url}"')
        await stop.wait()
        await asyncio.gather(*(one.close() for one in served))
