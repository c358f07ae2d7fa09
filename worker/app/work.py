"""Put the worker process together: group, partitions, sources, admin port."""

import asyncio
import dataclasses
import functools
from collections.abc import Mapping
from typing import cast

import structlog

from worker import clock as clocks
from worker import errors, model, ports, settings
from worker.app import process, sources, watching
from worker.pipeline import binding, caution, memory, observer, partition
from worker.telemetry import logs, metrics
from worker.transport import decoding, group, roles
from worker.transport import partition as log

_log = structlog.get_logger()
#: What a decision holds beside its session's own texts, and the record's key.
_AROUND_BYTES = 4_096
#: How long an event waits for its source to be configured.
_DEFER_MS = 3 * 86_400_000


async def run(
    config: settings.Settings, *, console: bool, admin_port: int, accept_gap: bool
) -> None:
    """
    Work on the partitions that the group assigns until SIGTERM, then drain and return.

    Raises errors.TopicMismatch, errors.KafkaUnavailable where the drain takes longer
    than ``shutdown_timeout``, and OSError where the admin port cannot be had.
    """
    clock = clocks.SystemClock()
    built = sources.configured(config, clock)
    bound = sources.bindings(built, config, clock)
    counters = metrics.Metrics(config.sources)
    logs.configure(console=console, on_dropped=counters.log_values_dropped)
    sources.log_warnings(config)
    health = process.Health()
    with process.stopped_by_signals() as stop:
        async with process.admin_port(
            config.worker.host, admin_port, health, counters
        ) as served:
            checked = process.topics_in_order(config, clock, counters)
            if not await process.unless_stopped(stop, checked):
                return
            watch = watching.WorkerWatch(counters, clock)
            member = _member(config, bound, watch, clock, accept_gap=accept_gap)
            _report(member, counters, health, config, clock)
            process.collect_garbage_rarely()
            running = asyncio.create_task(member.run())
            _log.info("worker.started", admin_port=served.port)
            await process.unless_stopped(stop, asyncio.shield(running))
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
    bound: Mapping[str, binding.Binding],
    watch: watching.WorkerWatch,
    clock: clocks.Clock,
    *,
    accept_gap: bool,
) -> group.Group:
    factory = Factory(
        sources=bound,
        limits=limits(config),
        clock=clock,
        watch=watch,
        interrogation=caution.Interrogation(),
        version=config.ledger.version,
        partitions=config.kafka.partitions,
    )
    partitions = config.kafka.partitions
    return group.Group(
        kafka=config.kafka,
        worker=config.worker,
        factory=factory,
        clock=clock,
        watch=watch,
        share=lambda owned_now: share(bound, owned_now, partitions),
        accept_gap=accept_gap,
    )


def _report(
    member: group.Group,
    counters: metrics.Metrics,
    health: process.Health,
    config: settings.Settings,
    clock: clocks.Clock,
) -> None:
    """Let the admin port tell how *member* is."""
    patience = 2 * config.worker.progress_timeout

    def at_work() -> list[partition.Partition]:
        return [
            cast("partition.Partition", each.work)
            for each in member.partitions.values()
            if each.work is not None
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
        counters.events_behind(member.events_behind())
        counters.kafka_reachable(reachable=member.joined)

    counters.before_render(refresh)
    # No traffic comes by readiness: it stops a roll-out, and takes no worker away.
    health.ready = lambda: (
        member.joined
        and member.lag.standing_ms() < config.worker.progress_timeout
        and not any(each.unread for each in at_work())
    )
    # A partition that is full is no reason to start anew: it would be full again.
    health.live = lambda: (
        clock.now_ms() - member.progress_at < patience
        and member.lag.stuck_ms() < patience
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """Makes a partition's loop for the transport."""

    sources: Mapping[str, binding.Binding]
    limits: binding.Limits
    clock: clocks.Clock
    watch: observer.Observer
    interrogation: caution.Interrogation
    version: int  #: of the ledger, as it is written
    partitions: int  #: of the event topic

    def loader(self) -> memory.Memory:
        """Return an empty memory, to restore into."""
        return memory.Memory(self.version)

    def work(
        self,
        *,
        number: int,
        committer: ports.Committer,
        loader: roles.Loader,
        position: model.Position,
        end_offset: int,
        recheck_open: bool,
    ) -> partition.Partition:
        """Return the partition's loop over what was restored."""
        return partition.Partition(
            committer=committer,
            sources=self.sources,
            clock=self.clock,
            watch=self.watch,
            limits=self.limits,
            interrogation=self.interrogation,
            number=number,
            sessions=cast("memory.Memory", loader),
            position=position,
            end_offset=end_offset,
            decode=functools.partial(decoding.taken, partitions=self.partitions),
            recheck_open=recheck_open,
        )


def limits(config: settings.Settings) -> binding.Limits:
    """
    Return a partition's bounds as configured.

    Of what a source may have in all partitions each may hold an equal share, whoever
    owns it: one worker that owns them all holds no more than is configured.
    """
    worker, partitions = config.worker, config.kafka.partitions
    return binding.Limits(
        gather_ms=worker.gather_window,
        inbox=worker.max_queued_events,
        max_open=worker.max_open_sessions,
        max_held=worker.max_held_sessions,
        max_deferred=worker.max_deferred_events,
        defer_ms=min(_DEFER_MS, config.kafka.events_retention // 2),
        max_unanswered=-(-worker.max_unanswered_sessions // partitions),
        max_unanswered_bytes=-(-worker.max_unanswered_bytes // partitions),
        max_batch=worker.max_commit_sessions,
        max_session_bytes=log.record_bound(config.kafka) - _AROUND_BYTES,
    )


def share(sources: Mapping[str, binding.Binding], owned_now: int, all_of: int) -> None:
    """Give every source's gate the share that *owned_now* partitions stand for."""
    for each in sources.values():
        each.gate.set_share(owned_now, all_of)
