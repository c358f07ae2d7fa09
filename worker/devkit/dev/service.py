"""Run one of our own commands as a process that ends with this one."""

import asyncio
import pathlib
import sys
from collections.abc import Sequence

import aiohttp

from worker.devkit.broker import process
from worker.devkit.dev import ports

_READY_S = 60.0
_POLL_S = 0.05
_LOG_TAIL_BYTES = 4096


class Service:
    """A command of ours, its log and its admin port; started as often as need be."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        admin_port: int,
        log_path: pathlib.Path,
        hidden: Sequence[str],
        doomed: pathlib.Path | None,
    ) -> None:
        self.name = name
        self.admin_port = admin_port
        self.log_path = log_path
        #: runs at the moment, or ran last
        self.child: process.Child | None = None
        # The variables in *hidden* are not for it; env becomes the program itself.
        without = [part for variable in hidden for part in ("-u", variable)]
        python = [sys.executable, "-m", "worker"]
        admin = ["--admin-port", str(admin_port)]
        self._command = ["/usr/bin/env", *without, *python, *arguments, *admin]
        self._doomed = doomed

    async def start(self) -> None:
        """Start the process, and do not wait until it is ready."""
        self.child = await asyncio.to_thread(
            process.Child, self._command, log_path=self.log_path, doomed=self._doomed
        )

    @property
    def pid(self) -> int:
        """The process id, of the latest start."""
        return self.child.pid if self.child else 0

    async def alive(self) -> bool:
        """Return whether the process runs."""
        return self.child is not None and await asyncio.to_thread(self.child.alive)

    async def ready(self) -> None:
        """
        Return when the process says that it is ready.

        Raises dev_errors.DevError where it ends instead, or takes too long.
        """
        url = f"http://{ports.HOST}:{self.admin_port}/readyz"
        try:
            async with (
                asyncio.timeout(_READY_S),
                aiohttp.ClientSession(trust_env=False) as session,
            ):
                while not await _answers(session, url):
                    if not await self.alive():
                        why = await asyncio.to_thread(self._last)
                        raise ports.DevError(
                            f"{self.name} ended instead of starting:\n{why}"
                        )
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            why = await asyncio.to_thread(self._last)
            raise ports.DevError(
                f"{self.name} is not ready after {_READY_S:g} s:\n{why}"
            ) from None

    def _last(self) -> str:
        """Return the last line of the log: why it ended."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - _LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").split("\n")
        printed = [line for line in lines if line.strip()]
        return printed[-1] if printed else "it says nothing"


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.ok
    except aiohttp.ClientError:
        return False


async def end(services: Sequence[Service], *, timeout_s: float) -> None:
    """End all at once: SIGTERM, and SIGKILL for what is left after *timeout_s*."""
    children = [each.child for each in services if each.child]
    await asyncio.to_thread(process.terminate, children, timeout_s=timeout_s)
