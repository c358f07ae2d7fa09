"""Set the stage: a broker, a configuration, and processes whose CPU counts."""

import contextlib
import dataclasses
import pathlib
import sys
import uuid
from collections.abc import AsyncIterator, Sequence

from tests.bench import figures, processes
from tests.support import ports
from worker import settings, signing
from worker.app import sources
from worker.devkit import broker
from worker.kafka import topics

SECRET = "a-secret-of-the-benchmarks-32-bytes-or-more"
#: what signs id beyond's callbacks, and what makes Biometric's address
HMAC_SECRET, URL_SECRET = f"{SECRET}1", f"{SECRET}2"
PARTITIONS = 24
_HEAP_MIB = 768
_CONFIG = f"""
[kafka]
bootstrap_servers = "{{servers}}"
topic_prefix = "{{prefix}}"
partitions = {PARTITIONS}
durability = "single-broker"
# A worker is stopped while work for it is piled up; no member dies of it.
session_timeout = "30s"
rebalance_timeout = "35s"

[ingress]
host = "127.0.0.1"

[worker]
host = "127.0.0.1"

[sources.idbeyond]
provider = "idbeyond"
environment = "test"
api_key = "sk_test_{SECRET}"
hmac_secrets = ["{HMAC_SECRET}"]
max_callback_age = "36500d"

[sources.biometric]
provider = "biometric"
environment = "test"
base_url = "http://127.0.0.1:{{provider_port}}"
flow_api_key = "{SECRET}"
url_secrets = ["{URL_SECRET}"]
concurrency = {{concurrency}}
fetch_timeout = "120s"
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A configuration whose topics are there, and nobody else's."""

    path: pathlib.Path
    kafka: settings.Kafka


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that is ready."""

    process: processes.Process
    admin_port: int
    port: int = 0
    #: from its start, imports included
    ready_s: float = 0.0


class Stage:
    """One broker for a whole run; each figure has its own topics on it."""

    def __init__(self, servers: str, folder: pathlib.Path) -> None:
        self.servers = servers
        self.folder = folder
        self._count = 0

    async def configured(
        self, *, provider_port: int = 1, concurrency: int = 64
    ) -> Configured:
        """Return a configuration with topics of its own, which are there."""
        self._count += 1
        path = self.folder / f"kyc{self._count}.toml"
        path.write_text(
            _CONFIG.format(
                servers=self.servers,
                prefix=f"bench{uuid.uuid4().hex[:8]}",
                provider_port=provider_port,
                concurrency=concurrency,
            )
        )
        loaded = sources.load(str(path))
        await topics.create(loaded.kafka)
        return Configured(path=path, kafka=loaded.kafka)

    @contextlib.asynccontextmanager
    async def running(
        self,
        *arguments: str,
        program: Sequence[str] = (sys.executable, "-m"),
        tells: bool = True,
    ) -> AsyncIterator[processes.Process]:
        """Run ``python -m ARGUMENTS`` while the body runs; *tells* is to be read."""
        self._count += 1
        log = self.folder / f"{self._count}.log"
        process = processes.Process([*program, *arguments], log, tells=tells)
        try:
            yield process
        finally:
            await process.end()

    @contextlib.asynccontextmanager
    async def serving(
        self, module: str, *arguments: str
    ) -> AsyncIterator[processes.Process]:
        """Run a part of the benchmark that says when it serves."""
        async with self.running(f"tests.bench.{module}", *arguments) as process:
            await process.line()
            yield process

    async def result(self, module: str, *arguments: str) -> dict[str, float]:
        """Return what a part of the benchmark tells in the end."""
        async with self.running(f"tests.bench.{module}", *arguments) as process:
            return await process.result()

    @contextlib.asynccontextmanager
    async def provider(
        self, latency_s: float = 0.0
    ) -> AsyncIterator[tuple[processes.Process, int]]:
        """Run the provider; say at which port."""
        port = ports.free()
        async with self.serving("provider", str(port), str(latency_s)) as process:
            yield process, port

    @contextlib.asynccontextmanager
    async def ingress(self, config: Configured) -> AsyncIterator[Service]:
        """Run an ingress, ready."""
        port = ports.free()
        async with self._service("ingress", config, port, str(port)) as service:
            yield service

    @contextlib.asynccontextmanager
    async def worker(self, config: Configured) -> AsyncIterator[Service]:
        """Run a worker, ready."""
        async with self._service("worker", config) as service:
            yield service

    @contextlib.asynccontextmanager
    async def _service(
        self, kind: str, config: Configured, port: int = 0, *served: str
    ) -> AsyncIterator[Service]:
        admin_port = ports.free()
        command = ["worker", kind, "--config", str(config.path)]
        command += ["--admin-port", str(admin_port)]
        command += [word for each in served for word in ("--port", each)]
        async with self.running(*command, tells=False) as process:
            ready_s = await process.ready(admin_port)
            yield Service(
                process=process, admin_port=admin_port, port=port, ready_s=ready_s
            )


def biometric_path() -> str:
    """Return the address that Biometric's callbacks go to."""
    token = signing.derive_url_token(URL_SECRET.encode(), "test", "biometric")
    return f"/webhooks/biometric/{token}"


def must_be(expected: float, found: float, what: str) -> None:
    """Raise figures.Untrue unless the counts agree: a figure that lies is none."""
    if expected != found:
        raise figures.Untrue(f"{found:g} {what}, where {expected:g} were to be")


@contextlib.asynccontextmanager
async def broker_for(folder: pathlib.Path) -> AsyncIterator[Stage]:
    """Hold a broker of this run alone, with its optimising compiler."""
    async with broker.Cluster(fast_start=False, heap_mib=_HEAP_MIB) as cluster:
        await _warm(Stage(cluster.bootstrap_servers, folder))
        yield Stage(cluster.bootstrap_servers, folder)


async def _warm(on: Stage) -> None:
    """Have the broker compile what every figure needs, before the first one."""
    config = await on.configured()
    await on.result(
        *("floors", "sender", on.servers, config.kafka.topic("events")),
        *(str(PARTITIONS), "5000", "0", "600"),
    )
