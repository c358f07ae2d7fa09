"""Put together what begins sessions: for the api, and for the command line."""

import asyncio
import collections
import contextlib
import dataclasses
import functools
import re
from collections.abc import AsyncIterator, Mapping

import structlog

from worker import api, errors, providers, settings, tickets
from worker import clock as clocks
from worker.app import webhooks
from worker.settings import sources as of_source
from worker.telemetry import metrics
from worker.transport import begins, begun_events, producer

_log = structlog.get_logger()
# An end is kept for longer than anybody may ask for it.
_MORE_MS = 3_600_000
_NO_SECRETS = (
    "returns.ticket_secrets is empty: begin ids and return addresses are made with it;"
    " give it at least 32 random bytes."
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What begins sessions, at work."""

    sources: Mapping[str, api.ApiSource]
    service: api.Service
    recovery: api.Recovery
    log: begins.BeginLog
    sink: producer.EventProducer


@contextlib.asynccontextmanager
async def working(
    config: settings.Settings, clock: clocks.Clock, observer: api.Observer
) -> AsyncIterator[Beginning]:
    """
    Yield what begins sessions; its recovery is not running yet.

    Raises errors.ConfigurationError where no secret is configured.
    """
    secrets = [secret.key() for secret in config.returns.ticket_secrets]
    if not secrets:
        raise errors.ConfigurationError([_NO_SECRETS])
    ack_ms = config.api.ack_timeout
    sink = producer.EventProducer(
        config.kafka, clock, _log, ack_timeout_ms=ack_ms, topics=("events", "begins")
    )
    log = begins.BeginLog(
        config.kafka,
        clock,
        _log,
        sink=sink,
        ack_timeout_ms=ack_ms,
        window_ms=config.api.idempotency_window,
        kept_ms=kept_ms(config),
    )
    built = sources(config, clock)
    sink.start()
    log.start()
    debts = api.Debts()
    times = api.Times(
        begin=config.api.begin_timeout,
        ack=ack_ms,
        window=config.api.idempotency_window,
    )
    try:
        yield Beginning(
            sources=built,
            service=api.Service(
                log=log,
                sink=sink,
                debts=debts,
                begin_ids=api.BeginIds(secrets),
                given=api.Addresses(
                    tickets.Tickets(secrets),
                    public_url=config.ingress.public_url,
                    ttl_ms=config.returns.ticket_ttl,
                    clock=clock,
                ),
                observer=observer,
                clock=clock,
                times=times,
            ),
            recovery=api.Recovery(
                built,
                log=log,
                sink=sink,
                history=begun_events.BegunEvents(config.kafka),
                debts=debts,
                observer=observer,
                clock=clock,
                times=times,
                interval_ms=config.api.recover_interval,
                retention_ms=config.api.unresolved_retention,
            ),
            log=log,
            sink=sink,
        )
    finally:
        await log.close()
        await sink.close(ack_ms / 1000)
        await asyncio.gather(*(each.beginner.close() for each in built.values()))


def sources(config: settings.Settings, clock: clocks.Clock) -> dict[str, api.ApiSource]:
    """Return every source whose sessions can be begun; opens no connection yet."""
    return {
        name: _source(config, name, source, clock)
        for name, source in config.sources.items()
    }


def _source(
    config: settings.Settings,
    name: str,
    source: of_source.Source,
    clock: clocks.Clock,
) -> api.ApiSource:
    entry = providers.REGISTRY[source.provider]
    return api.ApiSource(
        name=name,
        provider=entry.name,
        environment=source.environment,
        beginner=entry.build_beginner(name, source, clock),
        canonical=entry.build(name, source, clock).canonical,
        reference=re.compile(source.reference_pattern),
        origins=frozenset(source.return_origins),
        webhook_url=functools.partial(webhooks.address, config, name),
        session_ms=source.session_deadline,
    )


def kept_ms(config: settings.Settings) -> int:
    """Return how long the end of a begin is to be known."""
    longest = max(config.api.idempotency_window, config.returns.ticket_ttl)
    return longest + _MORE_MS


def count_unresolved(counters: metrics.Metrics, recovery: api.Recovery) -> None:
    """Set how many begins are unresolved."""
    counted = collections.Counter(each.source for each in recovery.unresolved())
    counters.begins_unresolved(counted)
