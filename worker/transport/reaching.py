"""Wait until Kafka can be reached, and say now and then that it cannot, and why."""

import asyncio
from typing import Protocol

import aiokafka

from worker import clock as clocks
from worker import errors, settings
from worker.transport import closing, failures

_FIRST_S = 0.25
_MAX_S = 5.0
_SAY_EVERY_MS = 60_000
_ATTEMPT_MS = 10_000


class Log(Protocol):
    """What of structlog's loggers is used here."""

    def info(self, event: str, **values: object) -> object:
        """Log *event*."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Log *event*, which somebody should look at."""
        ...


async def wait_for_kafka(kafka: settings.Kafka, clock: clocks.Clock, log: Log) -> None:
    """
    Return once a broker answers; goes on for ever, and never raises because of Kafka.

    Says ``kafka.unreachable`` at once and then once a minute, with the reason.
    """
    since = clock.now_ms()
    said_at, back_off_s = None, _FIRST_S
    while (reason := await why_unreachable(kafka)) is not None:
        now = clock.now_ms()
        if said_at is None or now - said_at >= _SAY_EVERY_MS:
            said_at = now
            log.warning(
                "kafka.unreachable",
                servers=kafka.bootstrap_servers,
                reason=reason,
                waited_ms=now - since,
            )
        await clock.sleep(back_off_s)
        back_off_s = min(back_off_s * 2, _MAX_S)
    if said_at is not None:
        log.info("kafka.reached", waited_ms=clock.now_ms() - since)


async def why_unreachable(kafka: settings.Kafka) -> str | None:
    """
    Return why no broker answers, None if one does.

    XXX: a wrong password and a wrong certificate authority look like a broker that
    is down: aiokafka 0.14 keeps the cause in its own log. This is the one place
    that would find it out with a connection of its own.
    """
    client = aiokafka.AIOKafkaClient(
        **kafka.client_args(),
        request_timeout_ms=min(kafka.request_timeout, _ATTEMPT_MS),
    )
    try:
        with failures.as_unavailable("connecting"):
            async with asyncio.timeout(_ATTEMPT_MS / 1000):
                await client.bootstrap()
    except errors.KafkaUnavailable as error:
        return failures.word(error.__cause__ or error)
    finally:
        await closing.discard_client(client)
    return None if client.cluster.brokers() else "no broker is ready"
