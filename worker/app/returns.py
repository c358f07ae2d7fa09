"""Put the return endpoints together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import structlog

from worker import clock as clocks
from worker import ports, returns, settings
from worker.app import sources
from worker.kafka import begin_log
from worker.returns import tickets

_log = structlog.get_logger()
_TIDY_S = 60.0
#: for the acknowledgement of a hint: a person waits, and goes on without it
_PATIENCE_S = 2.0


@contextlib.asynccontextmanager
async def pages(
    config: settings.Settings,
    built: Mapping[str, sources.ConfiguredSource],
    sink: ports.EventSink,
    observer: returns.ReturnTelemetry,
    clock: clocks.Clock,
) -> AsyncIterator[returns.Returns]:
    """Yield the return endpoints, following the begins."""
    follower = begin_log.BeginFollower(
        config.kafka,
        clock,
        _log,
        window_ms=config.api.idempotency_window,
        # A ticket may be used for so long after what it belongs to has begun.
        kept_ms=config.returns.ticket_ttl,
    )
    follower.start()
    tidying = asyncio.create_task(_tidy(follower, clock))
    try:
        yield _returns(config, built, sink, observer, clock=clock, known=follower)
    finally:
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        await follower.close()


async def _tidy(follower: begin_log.BeginFollower, clock: clocks.Clock) -> None:
    """Keep the memory to what a ticket may still ask for."""
    while True:
        await clock.sleep(_TIDY_S)
        follower.forget_ended()


def _returns(
    config: settings.Settings,
    built: Mapping[str, sources.ConfiguredSource],
    sink: ports.EventSink,
    observer: returns.ReturnTelemetry,
    *,
    clock: clocks.Clock,
    known: ports.SessionLookup,
) -> returns.Returns:
    table = config.returns
    return returns.Returns(
        [_source(name, each) for name, each in built.items()],
        sink,
        honoured=tickets.TicketSigner(
            [secret.key() for secret in table.ticket_secrets]
        ),
        signer=returns.ReturnTokenSigner(
            [secret.key() for secret in table.signing_keys],
            issuer=config.ingress.public_url,
            ttl_ms=table.token_ttl,
        ),
        begins=known,
        observer=observer,
        clock=clock,
        bounds=returns.Bounds(
            ack_timeout_s=min(_PATIENCE_S, config.ingress.ack_timeout / 1000),
            finished_per_minute=table.finished_per_minute,
        ),
    )


def _source(name: str, each: sources.ConfiguredSource) -> returns.ReturnSource:
    return returns.ReturnSource(
        name=name,
        provider=each.settings.provider,
        environment=each.settings.environment,
        audience=each.settings.return_audience or name,
        origins=frozenset(each.settings.return_origins),
        canonical=each.provider.canonical,
        session_query=each.entry.return_query,
    )
