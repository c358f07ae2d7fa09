"""Wait until Kafka can be reached, and say now and then that it cannot, and why."""

import asyncio
from typing import NamedTuple, Protocol

from aiokafka import conn as connections
from aiokafka import errors as theirs
from aiokafka.protocol import metadata

from worker import clock as clocks
from worker import errors, settings
from worker.transport import closing, failures, refusals

_FIRST_S = 0.25
_MAX_S = 5.0
_SAY_EVERY_MS = 60_000
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


class Complaints:
    """Lets each sentence be said at once, and then once a minute."""

    def __init__(self, clock: clocks.Clock) -> None:
        self._clock = clock
        self._said_at: dict[str, int] = {}

    def due(self, sentence: str) -> bool:
        """Return whether *sentence* is to be said now, and take note if so."""
        now = self._clock.now_ms()
        said_at = self._said_at.get(sentence)
        if said_at is not None and 0 <= now - said_at < _SAY_EVERY_MS:
            return False
        self._said_at[sentence] = now
        return True


class Unreachable(NamedTuple):
    """Why no broker answers: a word of the client's, and a sentence for people."""

    reason: str
    message: str


async def wait_for_kafka(kafka: settings.Kafka, clock: clocks.Clock, log: Log) -> None:
    """
    Return once a broker answers; goes on for ever, and never raises because of Kafka.

    Says ``kafka.unreachable`` at once and then once a minute, with the reason.
    """
    since = clock.now_ms()
    back_off_s = _FIRST_S
    complaints, waited = Complaints(clock), False
    while (why := await why_unreachable(kafka)) is not None:
        waited = True
        if complaints.due(why.message):
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
        log.info("kafka.reached", waited_ms=clock.now_ms() - since)


async def require(kafka: settings.Kafka) -> None:
    """Return if a broker answers; raises errors.KafkaUnavailable, with a sentence."""
    if (why := await why_unreachable(kafka)) is not None:
        raise errors.KafkaUnavailable(f"{kafka.bootstrap_servers}: {why.message}")


async def why_unreachable(kafka: settings.Kafka) -> Unreachable | None:
    """
    Return why no broker answers, None if one does.

    With connections of its own: for aiokafka 0.14's clients a refused password and
    an expired certificate look like a broker that is down. Of several brokers the
    one that refuses us tells more than those that are away.
    """
    try:
        arguments = kafka.client_args()
    except OSError as error:
        return Unreachable(failures.word(error), _UNREADABLE)
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
                    closing.cut(connection)
            if known.brokers:
                return None
            raise theirs.NoBrokersAvailable
        except failures.THEIRS as error:
            why = Unreachable(failures.word(error), refusals.connection(error))
            if found is None or refusals.is_security(error):
                found = why
    return found
