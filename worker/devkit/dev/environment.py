"""Set everything up, in order, and take it down again in the opposite one."""

import asyncio
import contextlib
import dataclasses
import pathlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from worker import errors, settings
from worker.devkit import simulators
from worker.devkit.dev import (
    config_file,
    console,
    demo_credentials,
    kafka,
    ports,
    sample_config,
    service,
)
from worker.kafka import topics
from worker.telemetry import logs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of ``dev``; a port that is None is the usual one."""

    once: bool = False
    port: int | None = None
    admin_port: int | None = None
    api_port: int | None = None
    traffic: bool = True
    workers: int = 1
    data_dir: pathlib.Path | None = None
    config: pathlib.Path | None = None


_PORT = 8080
_ADMIN_PORT = 9090
_API_PORT = 8081
_END_S = 8.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DevEnvironment:
    """Everything at work; *playing* are the simulated providers by their source."""

    settings: settings.Settings
    kafka: kafka.Kafka
    playing: Mapping[str, simulators.Simulator]
    ingress: service.Service
    api: service.Service
    workers: Sequence[service.Service]
    config_path: pathlib.Path
    company: demo_credentials.DemoCredentials

    @property
    def url(self) -> str:
        """Where the ingress listens."""
        return f"http://{ports.HOST}:{self.settings.ingress.port}"

    @property
    def api_url(self) -> str:
        """Where the api listens."""
        return f"http://{ports.HOST}:{self.settings.api.port}"

    @property
    def services(self) -> list[service.Service]:
        """Return all of our processes."""
        return [self.ingress, self.api, *self.workers]


class DevEnvironmentBuilder:
    """What a stage is made of, piece by piece."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self._options = options
        self._environ = environ
        self._own = options.config is not None
        self.folder: pathlib.Path | None = None
        self.services: list[service.Service] = []

    def abandon(self) -> None:
        """Leave nothing behind, at once: the process ends next."""
        for each in self.services:
            if each.child:
                each.child.send(signal.SIGKILL)
        if self.folder and not self._options.data_dir:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def up(self, screen: console.Console) -> AsyncIterator[DevEnvironment]:
        """
        Yield the stage once the ingress listens and every worker has joined.

        Raises dev_errors.DevError, broker.BrokerError, errors.KycError. Everything ends
        with it, and what is temporary is deleted.
        """
        async with contextlib.AsyncExitStack() as stack:
            port, admin_port, api_port = ports.reserve_ports(self._wanted())
            folder = stack.enter_context(self._folder())
            log = stack.enter_context((folder / "logs" / "dev.log").open("a"))
            logs.configure(console=False, stream=log)
            config_path = folder / "kyc.toml"
            plan = config_file.Plan(
                sources=self._sources(), port=port, api_port=api_port
            )
            plan.write(config_path)
            first = self._load(config_path)
            screen.say("starting Kafka, the simulated providers, and our services …")
            playing = {} if self._own else _players(first)
            plan = await _with_addresses(stack, plan, playing)
            had = await stack.enter_async_context(
                kafka.have(self._environ, self._options.data_dir)
            )
            plan = dataclasses.replace(
                plan,
                bootstrap_servers=had.bootstrap_servers,
                topic_prefix=had.topic_prefix,
            )
            plan.write(config_path)
            config = self._load(config_path)
            await _create_topics(config, had)
            await self._start(stack, folder, admin_port)
            yield DevEnvironment(
                settings=config,
                kafka=had,
                playing=playing,
                ingress=self.services[0],
                api=self.services[1],
                workers=self.services[2:],
                config_path=config_path,
                company=plan.company,
            )

    def _wanted(self) -> list[tuple[int, str]]:
        """Return the ports to claim; nobody calls at a known one with ``once``."""
        wanted = []
        for port, usual, option in (
            (self._options.port, _PORT, "--port"),
            (self._options.admin_port, _ADMIN_PORT, "--admin-port"),
            (self._options.api_port, _API_PORT, "--api-port"),
        ):
            default = 0 if self._options.once else usual
            wanted.append((default if port is None else port, option))
        return wanted

    @contextlib.contextmanager
    def _folder(self) -> Iterator[pathlib.Path]:
        kept = self._options.data_dir
        folder = kept or pathlib.Path(tempfile.mkdtemp(prefix="kyc-worker-dev-"))
        self.folder = folder
        try:
            (folder / "logs").mkdir(parents=True, exist_ok=True)
            yield folder
        finally:
            if not kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _sources(self) -> config_file.Tables:
        if self._options.config is None:
            return sample_config.tables()
        return config_file.sources_of(self._options.config)

    def _load(self, path: pathlib.Path) -> settings.Settings:
        return config_file.load(path, self._environ, own_sources=self._own)

    async def _start(
        self, stack: contextlib.AsyncExitStack, folder: pathlib.Path, admin_port: int
    ) -> None:
        """Start our processes together; the ingress is the first to end."""
        config = ["--config", str(folder / "kyc.toml")]
        wanted = [
            ("ingress", ["ingress", *config], admin_port),
            ("api", ["api", *config], ports.free()),
        ]
        wanted += [
            (f"worker {number}", ["worker", *config], ports.free())
            for number in range(1, self._options.workers + 1)
        ]
        for name, arguments, admin in wanted:
            made = service.Service(
                name,
                arguments,
                admin_port=admin,
                log_path=folder / "logs" / f"{name.replace(' ', '-')}.log",
                hidden=config_file.hidden(self._environ, own_sources=self._own),
                doomed=None if self._options.data_dir else folder,
            )
            self.services.append(made)
        ingress, *others = self.services
        stack.push_async_callback(service.end, others, timeout_s=_END_S)
        stack.push_async_callback(service.end, [ingress], timeout_s=_END_S)
        await asyncio.gather(*(each.start() for each in self.services))
        await asyncio.gather(*(each.ready() for each in self.services))


async def _create_topics(config: settings.Settings, had: kafka.Kafka) -> None:
    try:
        await topics.create(config.kafka)
    except errors.KafkaUnavailable:
        if had.node is not None:
            raise
        raise ports.DevError(
            f"No Kafka answers at {had.bootstrap_servers}: start the one that"
            " KAFKA_BOOTSTRAP_SERVERS names, or unset that to have one started."
        ) from None


def _players(config: settings.Settings) -> dict[str, simulators.Simulator]:
    """Return a simulated provider for each source, which knows its secrets."""
    return {
        name: simulators.find(source.provider).build(
            simulators.Account(source=name, settings=source)
        )
        for name, source in config.sources.items()
    }


async def _with_addresses(
    stack: contextlib.AsyncExitStack,
    plan: config_file.Plan,
    playing: Mapping[str, simulators.Simulator],
) -> config_file.Plan:
    """Serve *playing* and return the plan with where they are to be found."""
    served = await simulators.serve_all(
        playing.values(), ingress_url=f"http://127.0.0.1:{plan.port}"
    )

    async def close() -> None:
        await asyncio.gather(*(each.close() for each in served))

    stack.push_async_callback(close)
    tables = dict(plan.sources)
    for (name, simulator), each in zip(playing.items(), served, strict=True):
        found = dict.fromkeys(simulator.addresses, each.base_url)
        tables[name] = {**tables[name], **found}
    return dataclasses.replace(plan, sources=tables)
