"""Put the api process together."""

import asyncio
import collections
import contextlib
import dataclasses
import functools
import re
from collections.abc import AsyncIterator, Mapping

import structlog

from worker import api, errors, http_server, providers, settings
from worker import clock as clocks
from worker.api import telemetry
from worker.app import lifecycle, sources
from worker.kafka import begin_log, event_producer
from worker.returns import tickets
from worker.settings import sources as of_source
from worker.telemetry import labels, log_throttle, logs, metrics

_log = structlog.get_logger()
_NO_KEYS = (
    "api.keys is empty, so that no caller is authorised: `kyc-worker api-key` makes a"
    " key and the lines for here."
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiComponents:
    """What begins sessions, at work."""

    sources: Mapping[str, api.ApiSource]
    service: api.Service
    recovery: api.Recovery
    log: begin_log.BeginLog
    sink: event_producer.EventProducer


async def run(
    config: settings.Settings, *, console: bool, port: int, admin_port: int
) -> None:
    """
    Serve the api until SIGTERM, then drain and return.

    Raises errors.ConfigurationError without any API key, errors.TopicMismatch, and
    OSError if a port cannot be bound.
    """
    if not config.api.keys:
        raise errors.ConfigurationError([_NO_KEYS])
    clock = clocks.SystemClock()
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped.add)
    sources.log_warnings(config)
    health = lifecycle.Health()
    lines = log_throttle.LogThrottle(clock)
    observer = telemetry.ApiTelemetry(counters, lines)
    with lifecycle.shutdown_on_signals() as stop:
        async with lifecycle.admin_port(
            config.api.host, admin_port, health, counters, config=config, clock=clock
        ) as served:
            checked = lifecycle.wait_until_topics_valid(config, clock, counters)
            if not await lifecycle.run_until_stopped(stop, checked):
                return
            async with (
                lines.reporting(),
                run_background(config, clock, observer) as beginning,
            ):
                server = _server(config, beginning, observer, clock)
                health.ready = lambda: server.ready and beginning.log.ready
                counters.on_scrape(lambda: _refresh(counters, beginning))
                caught_up = beginning.log.caught_up()
                if not await lifecycle.run_until_stopped(stop, caught_up):
                    return
                bound = await server.start(config.api.host, port)
                counters.on_scrape(
                    lambda: lifecycle.count_http(
                        counters, labels.Service.API, server.listener
                    )
                )
                recovering = asyncio.create_task(beginning.recovery.run())
                _log.info(
                    "api.started",
                    port=bound,
                    admin_port=served.port,
                    max_connections=server.listener.max_connections,
                )
                try:
                    await lifecycle.run_until_stopped(stop, asyncio.shield(recovering))
                finally:
                    await server.drain(config.api.shutdown_timeout / 1000)
                    recovering.cancel()
                    await asyncio.gather(recovering, return_exceptions=True)
    _log.info("api.stopped")


def _refresh(counters: metrics.Metrics, beginning: ApiComponents) -> None:
    counters.kafka_reachable.set(beginning.sink.reachable)
    count_unresolved(counters, beginning.recovery)


def _server(
    config: settings.Settings,
    beginning: ApiComponents,
    observer: telemetry.ApiTelemetry,
    clock: clocks.Clock,
) -> api.Api:
    bounds = config.api
    return api.Api(
        beginning.sources,
        beginning.service,
        known=api.Keys(bounds.keys),
        observer=observer,
        clock=clock,
        limits=api.Limits(
            max_in_flight=bounds.max_in_flight,
            max_body_bytes=bounds.max_body_bytes,
            read_timeout_s=bounds.read_timeout / 1000,
            # Whole seconds, and never none: zero would be an invitation to hammer.
            retry_after_s=max(1, bounds.retry_after // 1000),
            connections=http_server.ConnectionLimits(
                keepalive_timeout_s=bounds.keepalive_timeout / 1000,
                linger_timeout_s=bounds.linger_timeout / 1000,
                send_timeout_s=bounds.send_timeout / 1000,
                max_connections=bounds.max_connections,
                max_buffered_bytes=bounds.max_buffered_bytes,
            ),
        ),
    )


_log = structlog.get_logger()
# An end is kept for longer than anybody may ask for it.
_MORE_MS = 3_600_000
_NO_SECRETS = (
    "returns.ticket_secrets is empty: begin ids and return addresses are made with it;"
    " give it at least 32 random bytes."
)


@contextlib.asynccontextmanager
async def run_background(
    config: settings.Settings, clock: clocks.Clock, observer: api.ApiTelemetry
) -> AsyncIterator[ApiComponents]:
    """
    Yield what begins sessions; its recovery is not running yet.

    Raises errors.ConfigurationError where no secret is configured.
    """
    secrets = [secret.key() for secret in config.returns.ticket_secrets]
    if not secrets:
        raise errors.ConfigurationError([_NO_SECRETS])
    ack_ms = config.api.ack_timeout
    sink = event_producer.EventProducer(
        config.kafka, clock, _log, ack_timeout_ms=ack_ms, topics=("events", "begins")
    )
    log = begin_log.BeginLog(
        config.kafka,
        clock,
        _log,
        sink=sink,
        ack_timeout_ms=ack_ms,
        window_ms=config.api.idempotency_window,
        kept_ms=retention_ms(config),
    )
    built = api_sources(config, clock)
    sink.start()
    log.start()
    debts = api.PendingWrites()
    times = api.Times(
        begin=config.api.begin_timeout,
        ack=ack_ms,
        window=config.api.idempotency_window,
    )
    try:
        yield ApiComponents(
            sources=built,
            service=api.Service(
                log=log,
                sink=sink,
                debts=debts,
                begin_ids=api.BeginIds(secrets),
                given=api.ReturnUrls(
                    tickets.TicketSigner(secrets),
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
                history=begin_log.BegunEvents(config.kafka),
                debts=debts,
                observer=observer,
                clock=clock,
                times=times,
                interval_ms=config.api.recovery_interval,
                retention_ms=config.api.unresolved_retention,
            ),
            log=log,
            sink=sink,
        )
    finally:
        await log.close()
        await sink.close(ack_ms / 1000)
        await asyncio.gather(*(each.beginner.close() for each in built.values()))


def api_sources(
    config: settings.Settings, clock: clocks.Clock
) -> dict[str, api.ApiSource]:
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
        beginner=entry.starter(name, source, clock),
        canonical=entry.build(name, source, clock).canonical,
        reference=re.compile(source.reference_pattern),
        origins=frozenset(source.return_origins),
        webhook_url=functools.partial(sources.webhook_url, config, name),
        session_ms=source.session_deadline,
    )


def retention_ms(config: settings.Settings) -> int:
    """Return how long the end of a begin is to be known."""
    longest = max(config.api.idempotency_window, config.returns.ticket_ttl)
    return longest + _MORE_MS


def count_unresolved(counters: metrics.Metrics, recovery: api.Recovery) -> None:
    """Set how many session starts of each source are unresolved."""
    counted = collections.Counter(each.source for each in recovery.unresolved())
    for source in counters.sources:
        counters.begins_unresolved.set(counted[source], source)
