"""Run processes whose CPU time, memory and metrics can be read from outside."""

import asyncio
import contextlib
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Sequence

import aiohttp
import orjson
import psutil

from tests.bench import figures

_READY_S = 60.0
_LOOK_S = 0.005
_SAMPLE = re.compile(r"^(kyc_\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


class Process:
    """A process; *log* takes its errors, and its output too unless it *tells*."""

    def __init__(
        self, command: Sequence[str], log: pathlib.Path, *, tells: bool
    ) -> None:
        self._log = log
        self._begun = time.monotonic()
        with log.open("wb") as stream:
            self.popen = subprocess.Popen(  # noqa: S603 -- our own command
                [*command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if tells else stream,
                stderr=stream,
            )
        self._process = psutil.Process(self.popen.pid)

    def cpu_s(self) -> float:
        """Return the CPU seconds that it has used so far, its children's too."""
        each = [self._process, *self._process.children(recursive=True)]
        times = [one.cpu_times() for one in each]
        return sum(one.user + one.system for one in times)

    def stop(self) -> None:
        """Have it do nothing until ``go_on``."""
        self.popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again."""
        self.popen.send_signal(signal.SIGCONT)

    async def line(self) -> bytes:
        """Return the next line of its output; raises figures.Untrue with its log."""
        stdout = self.popen.stdout
        if stdout is None:
            raise figures.Untrue("no output")
        line = await asyncio.to_thread(stdout.readline)
        if not line:
            raise self.broken("printed nothing")
        return line

    async def result(self) -> dict[str, float]:
        """Return the JSON object of its next line."""
        document: dict[str, float] = orjson.loads(await self.line())
        return document

    async def ready(self, port: int, path: str = "/readyz") -> float:
        """Return how many seconds after its start it was ready; looks every 5 ms."""
        url = f"http://127.0.0.1:{port}{path}"
        end = self._begun + _READY_S
        async with aiohttp.ClientSession() as client:
            while self.popen.poll() is None and time.monotonic() < end:
                with contextlib.suppress(aiohttp.ClientError):
                    async with client.get(url) as response:
                        if response.status == 200:
                            return time.monotonic() - self._begun
                await asyncio.sleep(_LOOK_S)
        raise self.broken("is not ready")

    def broken(self, how: str) -> figures.Untrue:
        """Return the error that says *how*, with the end of its log."""
        log = self._log.read_text(errors="replace")[-2000:]
        return figures.Untrue(f"{self.popen.args!r} {how}\n{log}")

    async def end(self) -> None:
        """Ask it to end, and see that it does."""
        if self.popen.poll() is None:
            self.go_on()
            self.popen.terminate()
        try:
            await asyncio.to_thread(self.popen.wait, 30)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            await asyncio.to_thread(self.popen.wait)
        if self.popen.stdout is not None:
            self.popen.stdout.close()


async def metrics(admin_port: int) -> dict[str, float]:
    """Return the sums of the product's metrics over their labels, by name."""
    url = f"http://127.0.0.1:{admin_port}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        text = (await response.read()).decode()
    found: dict[str, float] = {}
    for name, labelled, value in _SAMPLE.findall(text):
        key = f"{name}:repeated" if 'kind="repeated"' in labelled else name
        found[key] = found.get(key, 0.0) + float(value)
    return found
