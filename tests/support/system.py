"""Run the whole system as processes against one broker, as a person would."""

import asyncio
import collections
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import secrets
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

import aiohttp
import orjson

from tests.support import kafka_timeouts as profiles
from tests.support import keys, system_config
from tests.support import ports as ports_of
from worker import clock as clocks
from worker import settings
from worker.app import sources
from worker.devkit import simulators
from worker.kafka import reader, topics

OUTCOMES = ("approved", "rejected", "pending")
#: what a company's own service calls the api with, and where its pages are
API_KEY = "kyc_key-of-the-tests"
ORIGIN = "http://127.0.0.1:3000"
_READY_S = 60.0


@dataclasses.dataclass(slots=True)
class Process:
    """One service that runs."""

    kind: str
    popen: "subprocess.Popen[bytes]"
    log: pathlib.Path
    admin_port: int
    port: int = 0

    def logged(self) -> str:
        """Return what it wrote to stderr."""
        return self.log.read_text(errors="replace")


class System:
    """Simulated providers in this process, ingresses and workers in their own."""

    def __init__(
        self,
        servers: str,
        prefix: str,
        folder: pathlib.Path,
        *,
        partitions: int = 6,
        replicated: bool = False,
        times: profiles.Times = profiles.SHORT,
        kafka_more: str = "",
        worker_more: str = "",
        sources_more: str = "",
    ) -> None:
        self.folder = folder
        self.times = times
        self.processes: list[Process] = []
        self._served: list[simulators.Served] = []
        signing_key = folder / "signing-key.pem"
        signing_key.write_bytes(keys.new_signing_key())
        ports = {name: ports_of.free() for name in system_config.PROVIDERS}
        text = system_config.CONFIG.format(
            servers=servers,
            prefix=prefix,
            partitions=partitions,
            durability="" if replicated else 'durability = "single-broker"',
            times=times.toml,
            kafka_more=kafka_more,
            worker_more=worker_more,
            secret=secrets.token_hex(20),
            signing_key=signing_key,
            key_digest=hashlib.sha256(API_KEY.encode()).hexdigest(),
            common="{common}",
        )
        for name, port in ports.items():
            head, found, tail = text.partition(f"[sources.{name}]")
            common = system_config.common(name, port, sources_more)
            text = head + found + tail.replace("{common}", common, 1)
        self.config = folder / "kyc.toml"
        self.config.write_text(text)
        self.settings: settings.Settings = sources.load(str(self.config))
        built = sources.build_sources(self.settings, clocks.SystemClock())
        self.simulators = {
            name: simulators.find(name).build(
                simulators.Account(source=name, settings=each.settings)
            )
            for name, each in built.items()
        }
        self.ports = ports

    async def __aenter__(self) -> Self:
        await topics.create(self.settings.kafka)
        for name, simulator in self.simulators.items():
            self._served.append(
                await simulators.serve(simulator, port=self.ports[name])
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.kill()
            process.popen.wait()
        for served in self._served:
            await served.close()

    def start(
        self,
        kind: str,
        *,
        port: int | None = None,
        ends_at: tuple[str, int] | None = None,
        servers: str | None = None,
        module: Sequence[str] = ("worker",),
        arguments: Sequence[str] = (),
    ) -> Process:
        """
        Start ``ingress``, ``api`` or ``work`` as a process of its own.

        *ends_at* is a point of ``tests.support.crash_points`` and its last passage;
        *servers* are the brokers for it alone, *module* runs the command instead of
        the product. *arguments* go to it.
        """
        if ends_at is not None:
            module = ["tests.support.crash_points", ends_at[0], str(ends_at[1])]
        admin_port, port = ports_of.free(), port or ports_of.free()
        more = [] if kind == "work" else ["--port", str(port)]
        mine = {} if servers is None else {"KYC_KAFKA__BOOTSTRAP_SERVERS": servers}
        log = self.folder / f"{kind}-{len(self.processes)}.log"
        with log.open("wb") as stream:
            popen = subprocess.Popen(  # noqa: S603 -- our own command
                [
                    *(sys.executable, "-m", *module, kind),
                    *("--config", str(self.config), "--admin-port", str(admin_port)),
                    *more,
                    *arguments,
                ],
                stderr=stream,
                stdin=subprocess.DEVNULL,
                env=os.environ | mine,
            )
        process = Process(kind, popen, log, admin_port, port)
        self.processes.append(process)
        return process

    async def ready(self, process: Process) -> None:
        """Return once the process says that it is ready; fails with its log."""
        deadline = asyncio.get_running_loop().time() + _READY_S
        url = f"http://127.0.0.1:{process.admin_port}/readyz"
        timeout = aiohttp.ClientTimeout(total=_READY_S)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            while asyncio.get_running_loop().time() < deadline:
                if process.popen.poll() is not None:
                    break
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with client.get(url) as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.05)
        raise AssertionError(
            f"{process.kind} is not ready:\n{process.logged()[-3000:]}"
        )

    async def decisions(self) -> dict[tuple[str, str], list[dict[str, object]]]:
        """Return all decisions, read_committed, by session and in order of revision."""
        kafka = self.settings.kafka
        names = [kafka.topic(f"decisions.{outcome}") for outcome in OUTCOMES]
        found = collections.defaultdict(list)
        records = reader.follow(kafka, names, reader.ReadRange.UNTIL_END)
        async with contextlib.aclosing(records):
            async for each in records:
                decision = orjson.loads(each.record.value or b"{}")
                key = (decision["source"], decision["session_id"])
                found[key].append(decision)
        for history in found.values():
            history.sort(key=lambda decision: decision["revision"])
        return found


@dataclasses.dataclass(slots=True)
class Driver:
    """Sends callbacks as providers do: again, until they are taken."""

    ingresses: Sequence[Process]
    at_once: int = 48
    statuses: collections.Counter[int] = dataclasses.field(
        default_factory=collections.Counter
    )
    #: callbacks answered 2xx
    acknowledged: int = 0

    async def send(self, callbacks: Sequence[simulators.OutgoingCallback]) -> None:
        """Return when every callback is answered 2xx or refused for good."""
        waiting = asyncio.Semaphore(self.at_once)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as client:

            async def one(place: int, callback: simulators.OutgoingCallback) -> None:
                async with waiting:
                    await self._deliver(client, place, callback)

            await asyncio.gather(*(one(*each) for each in enumerate(callbacks)))

    async def _deliver(
        self,
        client: aiohttp.ClientSession,
        place: int,
        callback: simulators.OutgoingCallback,
    ) -> None:
        for attempt in range(100):
            ingress = self.ingresses[(place + attempt) % len(self.ingresses)]
            url = f"http://127.0.0.1:{ingress.port}{callback.path}"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with client.request(
                    callback.method,
                    url,
                    headers=dict(callback.headers),
                    data=callback.body,
                ) as response:
                    self.statuses[response.status] += 1
                    if response.status < 500:
                        self.acknowledged += response.status < 300
                        return
            await asyncio.sleep(0.1)
        raise AssertionError("a callback was never taken")
