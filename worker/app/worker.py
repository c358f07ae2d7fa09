"""Put the worker process together: group, partitions, sources, admin port."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from worker import clock as clocks
from worker import errors, settings
from worker.app import lifecycle, sources
from worker.kafka import consumer_group, processor_factory
from worker.kafka import ledger_partition as log
from worker.pipeline import (
    poison_pill,
    processor,
    source_runtime,
    telemetry,
)
from worker.telemetry import logs, metrics

_log = structlog.get_logger()
#: What a decision holds beside its session's own texts, and the record's key.
_AROUND_BYTES = 4_096
#: How long an event waits for its source to be configured.
_DEFER_MS = 3 * 86_400_000


async def run(
    config: settings.Settings, *, console: bool, admin_port: int, skip_lost_events: bool
) -> None:
    """
    Work on the partitions that the group assigns until SIGTERM, then drain and return.

    Raises errors.TopicMismatch, errors.KafkaUnavailable where the drain takes longer
    than ``shutdown_timeout``, and OSError if the admin port cannot be bound.
    """
    clock = clocks.SystemClock()
    built = sources.build_sources(config, clock)
    bound = sources.build_source_runtimes(built, config, clock)
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped.add)
    sources.log_warnings(config)
    health = lifecycle.Health()
    with lifecycle.shutdown_on_signals() as stop:
        async with lifecycle.admin_port(
            config.worker.host, admin_port, health, counters, config=config, clock=clock
        ) as served:
            checked = lifecycle.wait_until_topics_valid(config, clock, counters)
            if not await lifecycle.run_until_stopped(stop, checked):
                return
            observer = telemetry.WorkerTelemetry(counters, clock)
            member = _member(
                config, bound, observer, clock, skip_lost_events=skip_lost_events
            )
            counters.on_scrape(lambda: _set_gauges(counters, member, bound))
            _set_probes(member, health, config, clock)
            lifecycle.tune_gc()
            running = asyncio.create_task(member.run())
            _log.info("worker.started", admin_port=served.port)
            await lifecycle.run_until_stopped(stop, asyncio.shield(running))
            member.stop()
            health.ready = lambda: False
            try:
                async with asyncio.timeout(config.worker.shutdown_timeout / 1000):
                    await running
            except TimeoutError:  # an OSError as well, but of no address
                raise errors.KafkaUnavailable(
                    "the partitions did not drain within worker.shutdown_timeout"
                ) from None
            finally:
                await asyncio.gather(*(each.gate.close() for each in bound.values()))
                await sources.close(built)
    _log.info("worker.stopped")


def _member(
    config: settings.Settings,
    bound: Mapping[str, source_runtime.SourceRuntime],
    observer: telemetry.WorkerTelemetry,
    clock: clocks.Clock,
    *,
    skip_lost_events: bool,
) -> consumer_group.GroupConsumer:
    factory = processor_factory.ProcessorFactory(
        sources=bound,
        limits=limits(config),
        clock=clock,
        observer=observer,
        interrogation=poison_pill.PoisonPillRegistry(),
        version=config.ledger.version,
        partitions=config.kafka.partitions,
    )
    partitions = config.kafka.partitions
    return consumer_group.GroupConsumer(
        kafka=config.kafka,
        worker=config.worker,
        factory=factory,
        clock=clock,
        observer=observer,
        share=lambda owned_now: set_rate_shares(bound, owned_now, partitions),
        skip_lost_events=skip_lost_events,
    )


def _processors(
    member: consumer_group.GroupConsumer,
) -> list[processor.PartitionProcessor]:
    """Return the partitions that run now."""
    return [each.work for each in member.partitions.values() if each.work is not None]


def _set_gauges(
    counters: metrics.Metrics,
    member: consumer_group.GroupConsumer,
    bound: Mapping[str, source_runtime.SourceRuntime],
) -> None:
    """Set what is read at each scrape."""
    running = _processors(member)
    set_source_gauges(counters, running, bound)
    counters.deferred_events.set(sum(len(each.memory.deferred) for each in running))
    counters.owned_partitions.set(len(running))
    counters.paused_partitions.set(sum(not each.has_room for each in running))
    counters.consumer_lag.set(member.lag_records())
    counters.kafka_reachable.set(member.is_ready)


def set_source_gauges(
    counters: metrics.Metrics,
    running: Sequence[processor.PartitionProcessor],
    bound: Mapping[str, source_runtime.SourceRuntime],
) -> None:
    """Set the gauges that have the label ``source``."""
    opened = [each.memory.open_by_source() for each in running]
    for source, runtime in bound.items():
        found = [each.get(source, []) for each in opened]
        pending = (at for times in found for at in times if at is not None)
        counters.open_sessions.set(sum(map(len, found)), source)
        counters.oldest_pending_session.set(min(pending, default=0) / 1000, source)
        unanswered = sum(each.memory.unanswered.sessions(source) for each in running)
        counters.unanswered_sessions.set(unanswered, source)
        limiter = runtime.gate
        counters.fetches_in_flight.set(limiter.in_flight, source)
        counters.fetch_queue.set(limiter.waiting, source)
        counters.circuit_open.set(limiter.tripped, source)
        counters.fetch_paused_until.set(limiter.paused_until_ms / 1000, source)


def _set_probes(
    member: consumer_group.GroupConsumer,
    health: lifecycle.Health,
    config: settings.Settings,
    clock: clocks.Clock,
) -> None:
    """Let the probes of the admin port report the state of *member*."""
    timeout_ms = 2 * config.worker.watchdog_timeout
    # No traffic depends on readiness: it stops a roll-out, and removes no worker.
    health.ready = lambda: (
        member.is_ready
        and member.lag.blocked_ms() < config.worker.watchdog_timeout
        and not any(each.unread for each in _processors(member))
    )
    # A partition that is full is no reason to restart: it would be full again.
    health.live = lambda: (
        clock.now_ms() - member.progress_at < timeout_ms
        and member.lag.stuck_ms() < timeout_ms
    )


def limits(config: settings.Settings) -> source_runtime.Limits:
    """
    Return a partition's bounds as configured.

    Of what a source may have in all partitions each may hold an equal share, whoever
    owns it: one worker that owns them all holds no more than is configured.
    """
    worker, partitions = config.worker, config.kafka.partitions
    return source_runtime.Limits(
        gather_ms=worker.commit_linger,
        inbox=worker.max_queued_events,
        max_open=worker.max_open_sessions,
        max_held=worker.max_held_sessions,
        max_deferred=worker.max_deferred_events,
        defer_ms=min(_DEFER_MS, config.kafka.events_retention // 2),
        max_unanswered=-(-worker.max_unanswered_sessions // partitions),
        max_unanswered_bytes=-(-worker.max_unanswered_bytes // partitions),
        max_batch=worker.max_commit_sessions,
        max_session_bytes=log.max_record_bytes(config.kafka) - _AROUND_BYTES,
    )


def set_rate_shares(
    sources: Mapping[str, source_runtime.SourceRuntime], owned_now: int, all_of: int
) -> None:
    """Give every source's gate the share that *owned_now* partitions stand for."""
    for each in sources.values():
        each.gate.set_share(owned_now, all_of)
