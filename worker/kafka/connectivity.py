"""Wait until Kafka can be reached, and log once a minute why it cannot."""

import asyncio
import random
from typing import NamedTuple, Protocol

from aiokafka import conn as connections
from aiokafka import errors as theirs
from aiokafka.protocol import metadata

from worker import clock as clocks
from worker import errors, policy, settings
from worker.kafka import aiokafka_patches, error_mapping, error_messages
from worker.telemetry import log_throttle

_BACKOFF = policy.Backoff(initial_delay_ms=250, max_delay_ms=5_000, jitter=0.5)
_ATTEMPT_MS = 10_000
_UNREADABLE = "the certificates cannot be read: check the files of kafka.ssl_*"


class Log(Protocol):
    """What of structlog's loggers is used here."""

    def info(self, event: str, **values: object) -> object:
        """Log *event*."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Log *event* as a warning."""
        ...


class Unreachable(NamedTuple):
    """Why no broker responds: the client's error name, and a sentence for people."""

    reason: str
    message: str


def once_a_minute(clock: clocks.Clock) -> log_throttle.LogThrottle:
    """Return a throttle that admits each sentence at once, then once a minute."""
    return log_throttle.LogThrottle(clock, lines=1, report=False)


async def wait_for_kafka(kafka: settings.Kafka, clock: clocks.Clock, log: Log) -> None:
    """
    Return once a broker responds; retries for ever, and never raises because of Kafka.

    Logs ``kafka.unreachable`` at once and then once a minute, with the reason.
    """
    since = clock.now_ms()
    throttle, failures = once_a_minute(clock), 0
    while (why := await diagnose_connection(kafka)) is not None:
        failures += 1
        if throttle.admits(why.message):
            log.warning(
                "kafka.unreachable",
                servers=kafka.bootstrap_servers,
                reason=why.reason,
                message=why.message,
                waited_ms=clock.now_ms() - since,
            )
        chance = random.random()  # noqa: S311 -- no secret
        await clock.sleep(_BACKOFF.delay_ms(failures, chance) / 1000)
    if failures:
        log.info("kafka.connected", waited_ms=clock.now_ms() - since)


async def ensure_reachable(kafka: settings.Kafka) -> None:
    """Return if a broker responds; raises errors.KafkaUnavailable, with a sentence."""
    if (why := await diagnose_connection(kafka)) is not None:
        raise errors.KafkaUnavailable(f"{kafka.bootstrap_servers}: {why.message}")


async def diagnose_connection(kafka: settings.Kafka) -> Unreachable | None:
    """
    Return why no broker responds, None if one does.

    It opens connections of its own: for aiokafka 0.14's clients a refused password
    and an expired certificate look like a broker that is down. Of several failures a
    refusal is returned before a broker that cannot be reached.
    """
    try:
        arguments = kafka.client_args()
    except OSError as error:
        return Unreachable(error_mapping.error_name(error), _UNREADABLE)
    timeout_ms = min(kafka.request_timeout, _ATTEMPT_MS)
    found: Unreachable | None = None
    for host, port, _ in connections.collect_hosts(arguments.pop("bootstrap_servers")):
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                connection = await connections.create_conn(
                    host, port, request_timeout_ms=timeout_ms, **arguments
                )
                try:
                    known = await connection.send(metadata.MetadataRequest([]))
                finally:
                    aiokafka_patches.abort_connection(connection)
            if known.brokers:
                return None
            raise theirs.NoBrokersAvailable
        except error_mapping.THEIRS as error:
            why = Unreachable(
                error_mapping.error_name(error), error_messages.connection(error)
            )
            if found is None or error_messages.is_security(error):
                found = why
    return found
