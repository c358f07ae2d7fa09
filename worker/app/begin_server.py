"""Put the api process together."""

import asyncio

import structlog

from worker import api, errors, serving, settings
from worker import clock as clocks
from worker.app import begin, begin_watch, process, sources
from worker.telemetry import logs, metrics, quota

_log = structlog.get_logger()
_NO_KEYS = (
    "api.keys is empty, so that nobody could call: `kyc-worker api-key` makes a key and"
    " the lines for here."
)


async def run(
    config: settings.Settings, *, console: bool, port: int, admin_port: int
) -> None:
    """
    Serve the api until SIGTERM, then drain and return.

    Raises errors.ConfigurationError where nobody could call, errors.TopicMismatch, and
    OSError where a port cannot be had.
    """
    if not config.api.keys:
        raise errors.ConfigurationError([_NO_KEYS])
    clock = clocks.SystemClock()
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped)
    sources.log_warnings(config)
    health = process.Health()
    lines = quota.Quota(clock)
    watch = begin_watch.ApiWatch(counters, lines)
    with process.stopped_by_signals() as stop:
        async with process.admin_port(
            config.api.host, admin_port, health, counters
        ) as served:
            checked = process.topics_in_order(config, clock, counters)
            if not await process.unless_stopped(stop, checked):
                return
            async with (
                lines.telling(),
                begin.working(config, clock, watch) as beginning,
            ):
                server = _server(config, beginning, watch, clock)
                health.ready = lambda: server.ready and beginning.log.ready
                counters.before_render(lambda: _refresh(counters, beginning))
                caught_up = beginning.log.caught_up()
                if not await process.unless_stopped(stop, caught_up):
                    return
                bound = await server.start(config.api.host, port)
                counters.before_render(
                    lambda: counters.http(server.connections, server.buffered_bytes)
                )
                recovering = asyncio.create_task(beginning.recovery.run())
                _log.info(
                    "api.started",
                    port=bound,
                    admin_port=served.port,
                    max_connections=server.max_connections,
                )
                try:
                    await process.unless_stopped(stop, asyncio.shield(recovering))
                finally:
                    await server.drain(config.api.shutdown_timeout / 1000)
                    recovering.cancel()
                    await asyncio.gather(recovering, return_exceptions=True)
    _log.info("api.stopped")


def _refresh(counters: metrics.Metrics, beginning: begin.Beginning) -> None:
    counters.kafka_reachable(reachable=beginning.sink.reachable)
    begin.count_unresolved(counters, beginning.recovery)


def _server(
    config: settings.Settings,
    beginning: begin.Beginning,
    watch: begin_watch.ApiWatch,
    clock: clocks.Clock,
) -> api.Api:
    bounds = config.api
    return api.Api(
        beginning.sources,
        beginning.service,
        known=api.Keys(bounds.keys),
        observer=watch,
        clock=clock,
        limits=api.Limits(
            max_in_flight=bounds.max_in_flight,
            max_body_bytes=bounds.max_body_bytes,
            read_timeout_s=bounds.read_timeout / 1000,
            # Whole seconds, and never none: zero would be an invitation to hammer.
            retry_after_s=max(1, bounds.retry_after // 1000),
            connections=serving.Bounds(
                keepalive_timeout_s=bounds.keepalive_timeout / 1000,
                linger_timeout_s=bounds.linger_timeout / 1000,
                send_timeout_s=bounds.send_timeout / 1000,
                max_connections=bounds.max_connections,
                max_buffered_bytes=bounds.max_buffered_bytes,
            ),
        ),
    )
