"""Be a member of the consumer group: own what it assigns, feed it, let it go."""

import asyncio
import contextlib
from collections.abc import Callable

import aiokafka
from aiokafka import TopicPartition

from worker import cancellation, errors, settings
from worker import clock as clocks
from worker.kafka import (
    aiokafka_fetcher,
    aiokafka_patches,
    connectivity,
    event_decoder,
    failure_reports,
    lag,
    membership,
    partition_runner,
    processor_factory,
    progress,
)
from worker.pipeline import processor, telemetry

_POLL_MS = 200
_LEAVE_S = 5.0


class GroupConsumer:
    """
    One member of the group, with its consumer, rebuilt whole on any unknown error.

    The group's own offsets are for lag and for the proof of membership only: where
    a partition goes on stands in the ledger.
    """

    def __init__(
        self,
        *,
        kafka: settings.Kafka,
        worker: settings.Worker,
        factory: processor_factory.ProcessorFactory,
        clock: clocks.Clock,
        observer: telemetry.WorkerTelemetry,
        share: Callable[[int], None],
        skip_lost_events: bool = False,
    ) -> None:
        self._kafka = kafka
        self._worker = worker
        self._factory = factory
        self._clock = clock
        self._observer = observer
        self._share = share
        self._skip_lost_events = skip_lost_events
        self._consumer: aiokafka.AIOKafkaConsumer | None = None
        self._numbers: set[int] = set()
        self._owned: dict[int, partition_runner.PartitionRunner] = {}
        self._assignments = 0
        self._fault: Exception | None = None
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._progress = progress.Progress(worker, clock)
        self.lag = lag.Lag(clock)

    @property
    def partitions(self) -> dict[int, partition_runner.PartitionRunner]:
        """Return the partitions owned now."""
        return self._owned

    @property
    def is_ready(self) -> bool:
        """Return whether the group knows this member and all it owns is at work."""
        consumer = self._consumer
        if consumer is None or self._assignments == 0:
            return False
        return all(mine.work is not None for mine in self._owned.values())

    @property
    def progress_at(self) -> int:
        """Return when the consumer was last seen to get somewhere."""
        return self._progress.at

    def lag_records(self) -> int:
        """Return how many events of the owned partitions are not yet taken."""
        return sum(
            self.lag.records(mine.tp, mine.next_offset)
            for mine in self._owned.values()
            if mine.work is not None
        )

    async def run(self) -> None:
        """Be a member until ``stop``; rebuild the consumer after any unknown error."""
        while not self._stopping.is_set():
            excused = False
            self._progress.restart()
            try:
                with cancellation.contained():
                    await self._run_membership()
            except Exception as error:  # noqa: BLE001 -- crash-only: all of it begins anew
                excused = await failure_reports.report_consumer_failure(
                    self._observer, self._kafka, error
                )
            finally:
                await self._leave()
            wait = self._progress.failed(excused=excused)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait / 1000):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Ask ``run`` to drain the partitions, leave the group and return."""
        self._stopping.set()
        self._changed.set()

    # -- the listener's side: no I/O

    def revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop the partitions that are given back; they may be ours again at once."""
        for tp in revoked:
            if tp.partition in self._owned:
                self._owned[tp.partition].revoked()

    def assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause and seek before anything is handed out, then let the rest follow."""
        consumer = self._consumer
        if consumer is None:
            return
        consumer.pause(*assigned)
        for tp in assigned:
            mine = self._owned.get(tp.partition)
            consumer.seek(tp, 0 if mine is None else mine.next_offset)
        self._numbers = {tp.partition for tp in assigned}
        self._assignments += 1
        self._changed.set()

    def on_listener_error(self, error: Exception) -> None:
        """Begin anew: what was assigned has no owner."""
        self._fault = error
        self._changed.set()

    # -- one membership

    async def _run_membership(self) -> None:
        consumer = self._consumer = membership.consumer(self._kafka)
        await consumer.start()
        await membership.verify_topics_unchanged(consumer, self._kafka)
        consumer.subscribe(
            [self._kafka.topic("events")], listener=membership.Listener(self)
        )
        stopping: asyncio.Task[object] = asyncio.create_task(self._stopping.wait())
        tasks: set[asyncio.Task[object]] = {
            asyncio.create_task(self._poll(consumer)),
            asyncio.create_task(self._reconcile(consumer)),
            asyncio.create_task(self._commit_offsets_periodically(consumer)),
            asyncio.create_task(self.lag.follow(consumer, self._owned)),
            asyncio.create_task(
                membership.watch_topics(consumer, self._kafka, self._clock)
            ),
        }
        try:
            await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.gather(*(mine.drain() for mine in self._owned.values()))
            await self._commit_offsets(consumer)
        finally:
            # A cancelled getmany leaks its fetch count (aiokafka 0.14): harmless
            # here, the consumer ends with it.
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)

    async def _leave(self) -> None:
        """Let go of everything; the consumer's own stop calls no listener."""
        for mine in list(self._owned.values()):
            await mine.drop()
        self._owned.clear()
        self._numbers, self._fault = set(), None
        self._assignments = 0
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await aiokafka_patches.leave_group(consumer, _LEAVE_S)

    async def _reconcile(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """Follow the assignment: start what is new, go on, drop what is gone."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._fault is not None:
                raise self._fault
            gone = [n for n in self._owned if n not in self._numbers]
            dropping = [self._owned.pop(n).drop() for n in gone]
            for number in sorted(self._numbers):
                if number in self._owned:
                    self._owned[number].reassigned()
                else:
                    self._owned[number] = self._start_partition(number, consumer)
            self._share(len(self._owned))
            await asyncio.gather(*dropping)
            if not self._numbers:  # others own them all, or there are none
                await membership.verify_topics_unchanged(consumer, self._kafka)

    def _start_partition(
        self, number: int, consumer: aiokafka.AIOKafkaConsumer
    ) -> partition_runner.PartitionRunner:
        return partition_runner.PartitionRunner(
            number,
            kafka=self._kafka,
            worker=self._worker,
            consumer=consumer,
            factory=self._factory,
            clock=self._clock,
            observer=self._observer,
            skip_lost_events=self._skip_lost_events,
        )

    async def _poll(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """One central getmany: a loop a partition would couple them (seen)."""
        while not self._stopping.is_set():
            self._apply_backpressure(consumer)
            try:
                # Without an assignment this waits for one, and raises the errors
                # that keep it away. It always comes back while the client is well:
                # a cancelled getmany leaks its fetch count, so the consumer ends
                # with it (aiokafka 0.14, seen 2026-11-21).
                async with asyncio.timeout(self._worker.watchdog_timeout / 1000):
                    found = await consumer.getmany(timeout_ms=_POLL_MS)
            except TimeoutError:
                raise aiokafka.errors.KafkaTimeoutError from None
            except (
                aiokafka.errors.OffsetOutOfRangeError,
                aiokafka.errors.NoOffsetForPartitionError,
            ) as error:
                self._position_lost(error)
                continue
            self._progress.polled(records=bool(found))
            for tp, records in found.items():
                mine = self._owned.get(tp.partition)
                if mine is not None and mine.work is not None:
                    self._dispatch(mine.work, mine.sound(records))

    def _dispatch(
        self,
        work: processor.PartitionProcessor,
        records: list[aiokafka_fetcher.Fetched],
    ) -> None:
        now = self._clock.now_ms()
        work.offer(
            event_decoder.decode_event(r, now, self._kafka.partitions) for r in records
        )

    def _position_lost(self, error: aiokafka.errors.KafkaError) -> None:
        """Let the partition that *error* names find out what it has lost."""
        # Seen in aiokafka 0.14: one error names {partition: offset}, the other one
        # the partition itself.
        lost = error.args[0]
        for number, mine in self._owned.items():
            if mine.tp == lost or (isinstance(lost, dict) and mine.tp in lost):
                sentence = f"partition {number}: its position is out of range"
                mine.fail(errors.PositionLost(sentence))

    def _apply_backpressure(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """Pause what has no room, resume what has it again."""
        assignment = consumer.assignment()
        for mine in self._owned.values():
            if mine.work is None or mine.tp not in assignment:
                continue
            if not mine.held_back and not mine.work.has_room:
                mine.held_back = True
                consumer.pause(mine.tp)
            elif mine.held_back and mine.work.has_room:
                mine.held_back = False
                consumer.resume(mine.tp)

    async def _commit_offsets_periodically(
        self, consumer: aiokafka.AIOKafkaConsumer
    ) -> None:
        while True:
            await self._clock.sleep(self._worker.offset_commit_interval / 1000)
            if await self._commit_offsets(consumer):
                continue
            if why := await connectivity.diagnose_connection(self._kafka):
                self._observer.unreachable(why.message)

    async def _commit_offsets(self, consumer: aiokafka.AIOKafkaConsumer) -> bool:
        """Commit for lag and scaling only; return whether it worked or was not due."""
        offsets = {
            mine.tp: mine.next_offset
            for mine in self._owned.values()
            if mine.work is not None and mine.tp in consumer.assignment()
        }
        if not offsets:
            return not self._owned
        with contextlib.suppress(aiokafka.errors.KafkaError, TimeoutError):
            async with asyncio.timeout(self._worker.assignment_check_timeout / 1000):
                await consumer.commit(offsets)
            return True
        return False
