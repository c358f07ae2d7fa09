"""Wait until Kafka can be reached, and say now and then that it cannot, and why."""

import asyncio
from typing import NamedTuple, Protocol

from aiokafka import conn as connections
from aiokafka import errors as theirs
from aiokafka.protocol import metadata

from worker import clock as clocks
from worker import errors, settings
from worker.kafka import aiokafka_patches, error_mapping, error_messages
from worker.telemetry import log_throttle

_FIRST_S = 0.25
_MAX_S = 5.0
_ATTEMPT_MS = 10_000
_UNREADABLE = "the certificates cannot be read: check the files of kafka.ssl_*"


class Log(Protocol):
    """What of structlog's loggers is used here."""

    def info(self, event: str, **values: object) -> object:
        """Log *event*."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Log *event*, which somebody should look at."""
        ...


class Unreachable(NamedTuple):
    """Why no broker answers: a word of the client's, and a sentence for people."""

    reason: str
    message: str


def once_a_minute(clock: clocks.Clock) -> log_throttle.LogThrottle:
    """Return a throttle that admits each sentence at once, then once a minute."""
    return log_throttle.LogThrottle(clock, lines=1, report=False)


async def wait_for_kafka(kafka: settings.Kafka, clock: clocks.Clock, log: Log) -> None:
    """
    Return once a broker answers; goes on for ever, and never raises because of Kafka.

    Says ``kafka.unreachable`` at once and then once a minute, with the reason.
    """
    since = clock.now_ms()
    back_off_s = _FIRST_S
    throttle, waited = once_a_minute(clock), False
    while (why := await diagnose_connection(kafka)) is not None:
        waited = True
        if throttle.admits(why.message):
            log.warning(
                "kafka.unreachable",
                servers=kafka.bootstrap_servers,
                reason=why.reason,
                message=why.message,
                waited_ms=clock.now_ms() - since,
            )
        await clock.sleep(back_off_s)
        back_off_s = min(back_off_s * 2, _MAX_S)
    if waited:
        log.info("kafka.connected", waited_ms=clock.now_ms() - since)


async def ensure_reachable(kafka: settings.Kafka) -> None:
    """Return if a broker answers; raises errors.KafkaUnavailable, with a sentence."""
    if (why := await diagnose_connection(kafka)) is not None:
        raise errors.KafkaUnavailable(f"{kafka.bootstrap_servers}: {why.message}")


async def diagnose_connection(kafka: settings.Kafka) -> Unreachable | None:
    """
    Return why no broker answers, None if one does.

    With connections of its own: for aiokafka 0.14's clients a refused password and
    an expired certificate look like a broker that is down. Of several brokers the
    one that refuses us tells more than those that are away.
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
