"""Put the ingress process together."""

import contextlib
from collections.abc import AsyncIterator

import structlog

from worker import clock as clocks
from worker import http_server, ingress, ports, settings
from worker.app import lifecycle, sources
from worker.ingress import telemetry as ingress_telemetry
from worker.kafka import event_producer
from worker.returns import telemetry as returns_telemetry
from worker.telemetry import labels, log_throttle, logs, metrics

_log = structlog.get_logger()


async def run(
    config: settings.Settings, *, console: bool, port: int, admin_port: int
) -> None:
    """
    Serve the webhook endpoints until SIGTERM, then drain and return.

    Raises errors.TopicMismatch, and OSError if a port cannot be bound.
    """
    clock = clocks.SystemClock()
    built = sources.build_sources(config, clock)
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped.add)
    health = lifecycle.Health()
    bounds = config.ingress
    with lifecycle.shutdown_on_signals() as stop:
        async with lifecycle.admin_port(
            bounds.host, admin_port, health, counters, config=config, clock=clock
        ) as served:
            checked = lifecycle.wait_until_topics_valid(config, clock, counters)
            if not await lifecycle.run_until_stopped(stop, checked):
                return
            sink = event_producer.EventProducer(
                config.kafka, clock, _log, ack_timeout_ms=bounds.ack_timeout
            )
            sink.start()
            counters.on_scrape(lambda: counters.kafka_reachable.set(sink.reachable))
            lines = log_throttle.LogThrottle(clock)
            observer = ingress_telemetry.IngressTelemetry(counters, lines)
            returned = returns_telemetry.ReturnTelemetry(counters, lines)
            async with (
                lines.reporting(),
                _pages(config, built, sink, returned, clock) as pages,
            ):
                server = _server(
                    config, built, sink, observer, clock=clock, pages=pages
                )
                try:
                    bound = await server.start(bounds.host, port)
                    health.ready = lambda: server.ready
                    counters.on_scrape(
                        lambda: lifecycle.count_http(
                            counters, labels.Service.INGRESS, server.listener
                        )
                    )
                    _log.info(
                        "ingress.started",
                        port=bound,
                        admin_port=served.port,
                        max_connections=server.listener.max_connections,
                    )
                    lifecycle.tune_gc(in_small_steps=True)
                    await stop.wait()
                finally:
                    await server.drain(bounds.shutdown_timeout / 1000)
                    await sink.close(bounds.ack_timeout / 1000)
                    await sources.close(built)
    _log.info("ingress.stopped")


@contextlib.asynccontextmanager
async def _pages(
    config: settings.Settings,
    built: dict[str, sources.ConfiguredSource],
    sink: ports.EventSink,
    observer: returns_telemetry.ReturnTelemetry,
    clock: clocks.Clock,
) -> AsyncIterator[ingress.ExtraRoutes | None]:
    """Yield the return endpoints where they are configured."""
    if not config.returns.ticket_secrets:
        yield None
        return
    # Here: an ingress without them need not load what signs, at each start.
    from worker.app import returns  # noqa: PLC0415 -- see above

    async with returns.pages(config, built, sink, observer, clock) as pages:
        yield pages


def _server(
    config: settings.Settings,
    built: dict[str, sources.ConfiguredSource],
    sink: event_producer.EventProducer,
    observer: ingress_telemetry.IngressTelemetry,
    *,
    clock: clocks.Clock,
    pages: ingress.ExtraRoutes | None,
) -> ingress.Ingress:
    bounds = config.ingress
    return ingress.Ingress(
        [ingress_source(each) for each in built.values()],
        sink,
        observer=observer,
        clock=clock,
        forwarder=ingress.AiohttpForwarder(timeout_s=bounds.forward_timeout / 1000),
        bounds=ingress.Limits(
            max_in_flight=bounds.max_in_flight,
            read_timeout_s=bounds.read_timeout / 1000,
            connections=http_server.ConnectionLimits(
                keepalive_timeout_s=bounds.keepalive_timeout / 1000,
                linger_timeout_s=bounds.linger_timeout / 1000,
                send_timeout_s=bounds.send_timeout / 1000,
                max_connections=bounds.max_connections,
                max_buffered_bytes=bounds.max_buffered_bytes,
            ),
            # Whole seconds, and never none: zero would be an invitation to hammer.
            retry_after_s=max(1, bounds.retry_after // 1000),
            unmappable_per_minute=bounds.unmappable_per_minute,
        ),
        trusted_proxies=bounds.trusted_proxies,
        pages=pages,
    )


def ingress_source(configured: sources.ConfiguredSource) -> ingress.IngressSource:
    """
    Return what the ingress needs of a source, with the secrets that were read.

    Raises ValueError where nothing could authenticate a callback.
    """
    return ingress.IngressSource.from_settings(
        configured.name,
        configured.settings,
        configured.provider,
        scheme=configured.signature,
        body_key=configured.entry.body_key,
        key_source=configured.entry.keys(configured.provider),
    )
