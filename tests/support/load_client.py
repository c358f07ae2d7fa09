"""Hammer an ingress over bare sockets, and keep every answer or the lack of one."""

import asyncio
import contextlib
import dataclasses
import enum
import pathlib
from typing import NamedTuple

import psutil

from tests.support import system
from worker.devkit import simulators

_HOST = "127.0.0.1"


class Answer(NamedTuple):
    """A whole answer, and how long it took to come."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Lost(enum.Enum):
    """How a request went without an answer."""

    RESET = enum.auto()  #: it was sent to its end, and the connection broke
    REFUSED = enum.auto()  #: there was no connection to send it on


def request(callback: simulators.OutgoingCallback) -> bytes:
    """Return *callback* as it goes over the wire."""
    headers = {
        **dict(callback.headers),
        "Host": "a",
        "Content-Length": str(len(callback.body)),
    }
    head = f"{callback.method} {callback.path} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in headers.items()
    )
    return head.encode() + b"\r\n" + callback.body


def payload(running: system.System) -> bytes:
    """Return a callback that is published, as it goes over the wire."""
    simulator = running.simulators["biometric"]
    callbacks = simulator.callbacks(simulator.add(simulators.Scenario()))
    return request(callbacks[-1])


async def answer(reader: asyncio.StreamReader, began: float) -> Answer:
    """Return the next answer; raises OSError or EOFError where there is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.splitlines()[:-1]
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    now = asyncio.get_running_loop().time()
    return Answer(int(first.split()[1]), headers, body, now - began)


@dataclasses.dataclass(slots=True)
class Hammer:
    """Clients that keep their connections, and send again once they are answered."""

    port: int
    payload: bytes
    pause_s: float = 0.0
    answers: list[Answer] = dataclasses.field(default_factory=list)
    lost: list[Lost] = dataclasses.field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = dataclasses.field(default_factory=list)
    _stopped: bool = False

    def start(self, clients: int) -> None:
        """Let *clients* begin, each on a connection of its own."""
        self._tasks += [asyncio.create_task(self._client()) for _ in range(clients)]

    async def stop(self) -> None:
        """Let every client have its last answer."""
        self._stopped = True
        await asyncio.gather(*self._tasks)

    def take(self) -> list[Answer]:
        """Return the answers since the last time."""
        taken, self.answers = self.answers, []
        return taken

    async def once(self, clients: int) -> list[Answer]:
        """Send one request from each of *clients* at the same time."""
        pairs = await asyncio.gather(
            *(asyncio.open_connection(_HOST, self.port) for _ in range(clients))
        )
        began = asyncio.get_running_loop().time()
        for _, writer in pairs:
            writer.write(self.payload)
        found = await asyncio.gather(*(answer(reader, began) for reader, _ in pairs))
        for _, writer in pairs:
            writer.close()
        return found

    async def _client(self) -> None:
        while not self._stopped:
            try:
                reader, writer = await asyncio.open_connection(_HOST, self.port)
            except OSError:
                self.lost.append(Lost.REFUSED)
                return
            try:
                await self._on(reader, writer)
            except (OSError, EOFError):
                self.lost.append(Lost.RESET)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Use one connection until its end is announced."""
        now = asyncio.get_running_loop().time
        while not self._stopped:
            began = now()
            writer.write(self.payload)
            found = await answer(reader, began)
            self.answers.append(found)
            if found.headers.get("connection", "").lower() == "close":
                return
            if self.pause_s:
                await asyncio.sleep(self.pause_s)


def percentile(values: list[float], share: float) -> float:
    """Return the value under which *share* of *values* lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has."""
    size: int = psutil.Process(pid).memory_info().rss
    return size


def log_of(figures: dict[str, float], folder: pathlib.Path) -> None:
    """Keep measured figures where a person may look (``pytest -s`` shows them)."""
    line = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(f"\n  measured: {line}")  # noqa: T201 -- for who runs it with -s
    (folder / "figures.txt").write_text(line)
