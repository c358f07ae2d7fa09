"""Put the worker process together: group, partitions, sources, admin port."""

import asyncio
from collections.abc import Mapping

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
    than ``shutdown_timeout``, and OSError where the admin port cannot be had.
    """
    clock = clocks.SystemClock()
    built = sources.build_sources(config, clock)
    bound = sources.build_source_runtimes(built, config, clock)
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped)
    sources.log_warnings(config)
    health = lifecycle.Health()
    with lifecycle.shutdown_on_signals() as stop:
        async with lifecycle.admin_port(
            config.worker.host, admin_port, health, counters
        ) as served:
            checked = lifecycle.wait_until_topics_valid(config, clock, counters)
            if not await lifecycle.run_until_stopped(stop, checked):
                return
            observer = telemetry.WorkerTelemetry(counters, clock)
            member = _member(
                config, bound, observer, clock, skip_lost_events=skip_lost_events
            )
            _report(member, counters, health, config, clock)
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


def _report(
    member: consumer_group.GroupConsumer,
    counters: metrics.Metrics,
    health: lifecycle.Health,
    config: settings.Settings,
    clock: clocks.Clock,
) -> None:
    """Let the admin port tell how *member* is."""
    patience = 2 * config.worker.watchdog_timeout

    def at_work() -> list[processor.PartitionProcessor]:
        return [
            each.work for each in member.partitions.values() if each.work is not None
        ]

    def refresh() -> None:
        now, working = clock.now_ms(), at_work()
        oldest = [at for each in working if (at := each.memory.oldest_pending())]
        counters.owned_partitions(len(working))
        counters.open_sessions(sum(each.memory.open for each in working))
        unanswered = {
            source: sum(each.memory.unanswered.sessions(source) for each in working)
            for source in config.sources
        }
        counters.crowded(unanswered, sum(not each.has_room for each in working))
        counters.oldest_pending(max(now - min(oldest), 0) / 1000 if oldest else 0.0)
        counters.deferred_events(sum(len(each.memory.deferred) for each in working))
        counters.events_behind(member.lag_records())
        counters.kafka_reachable(reachable=member.is_ready)

    counters.on_scrape(refresh)
    # No traffic comes by readiness: it stops a roll-out, and takes no worker away.
    health.ready = lambda: (
        member.is_ready
        and member.lag.blocked_ms() < config.worker.watchdog_timeout
        and not any(each.unread for each in at_work())
    )
    # A partition that is full is no reason to start anew: it would be full again.
    health.live = lambda: (
        clock.now_ms() - member.progress_at < patience
        and member.lag.stuck_ms() < patience
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
