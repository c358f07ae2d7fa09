"""Live one owned partition: fence, restore, run, and start again after any failure."""

import asyncio
import contextlib
import random

import aiokafka
from aiokafka import TopicPartition

from worker import cancellation, errors, model, settings
from worker import clock as clocks
from worker.kafka import (
    aiokafka_fetcher,
    failure_reports,
    ledger_partition,
    membership,
    processor_factory,
    record_format,
)
from worker.pipeline import processor, telemetry

_LOOKS = 3  # as often is a batch fetched whose checksum is wrong

# An operator must grant a right first: the longest wait.
_DENIED = 64


class PartitionRunner:
    """One partition as long as the group gives it to this process."""

    def __init__(
        self,
        number: int,
        *,
        kafka: settings.Kafka,
        worker: settings.Worker,
        consumer: aiokafka.AIOKafkaConsumer,
        factory: processor_factory.ProcessorFactory,
        clock: clocks.Clock,
        observer: telemetry.WorkerTelemetry,
        skip_lost_events: bool,
    ) -> None:
        self.tp = TopicPartition(kafka.topic("events"), number)
        self.work: processor.PartitionProcessor | None = None
        self.held_back = False
        self._kafka = kafka
        self._worker = worker
        self._consumer = consumer
        self._factory = factory
        self._clock = clock
        self._observer = observer
        self._skip_lost_events = skip_lost_events
        self._log: ledger_partition.LedgerPartition | None = None
        self._assigned = asyncio.Event()
        self._assigned.set()
        self._failure: errors.TransportError | None = None
        self._last_offset = 0
        self._doubted = (-1, 0)  # an offset, and how often it was looked at
        self._life = asyncio.create_task(self._supervise())

    @property
    def next_offset(self) -> int:
        """Return where this partition goes on; 0 where that is not known yet."""
        return 0 if self.work is None else self.work.next_offset

    def revoked(self) -> None:
        """Stop at once, before the group gives the partition away; does no I/O."""
        self._assigned.clear()
        if self.work is not None:
            self.work.pause()

    def reassigned(self) -> None:
        """Go on from the own position: had anyone else owned it, we are fenced."""
        self._assigned.set()
        if self.work is not None:
            self._resume(self.work)

    def fail(self, error: errors.TransportError) -> None:
        """Start the partition again, because of *error*, unless that is under way."""
        if self.work is not None:
            self._failure = error
            self._life.cancel()

    def sound(
        self, records: list[aiokafka_fetcher.Fetched]
    ) -> list[aiokafka_fetcher.Fetched]:
        """
        Return *records* up to a batch whose checksum is wrong, which is fetched again.

        It may have been the network; the third time it counts as what it is.
        """
        for place, record in enumerate(records):
            if (
                not isinstance(record, record_format.Undecodable)
                or record.why is not record_format.DecodeFailure.CHECKSUM
            ):
                continue
            offset, looks = self._doubted
            looks = looks + 1 if offset == record.offset else 1
            self._doubted = (record.offset, looks)
            if looks < _LOOKS:
                self._consumer.seek(self.tp, record.offset)
                return records[:place]
        return records

    async def drop(self) -> None:
        """Let go of a partition that is another's now; nothing is written after."""
        self._life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._life
        await self._discard()

    async def drain(self) -> None:
        """End cleanly: all that is known is committed, if that is still ours to do."""
        work = self.work
        if work is not None and self._assigned.is_set():
            with contextlib.suppress(errors.TransportError):
                await work.drain()
        await self.drop()

    def _resume(self, work: processor.PartitionProcessor) -> None:
        self._consumer.seek(self.tp, work.next_offset)
        self.held_back = False
        self._consumer.resume(self.tp)
        work.resume()

    async def _supervise(self) -> None:
        """Start again after every failure, until cancelled."""
        failures = 0
        while True:
            begun = self._clock.now_ms()
            try:
                with cancellation.contained():
                    await self._run_once()
            except errors.TransportError as error:
                failure_reports.report_partition_failure(
                    self._observer, self.tp.partition, error
                )
            except TimeoutError:
                self._observer.partition_failed(self.tp.partition, "restore_timeout")
            except asyncio.CancelledError:
                if self._failure is None:
                    raise
                failure_reports.report_partition_failure(
                    self._observer, self.tp.partition, self._failure
                )
                self._failure = None
                # From here on a cancellation is the end, and not this one again.
                self._life.uncancel()
            except Exception as error:  # noqa: BLE001 -- crash-only: all of it starts again
                self._observer.partition_failed(self.tp.partition, type(error).__name__)
            self._hold_back()
            await self._discard()
            if self._clock.now_ms() - begun > self._worker.watchdog_timeout:
                failures = 0
            failures += 1
            await self._back_off(failures)
            await self._confirm_assignment()

    async def _run_once(self) -> None:
        log = ledger_partition.LedgerPartition(self._kafka, self.tp.partition)
        self._log = log
        begun = self._clock.now_ms()
        async with asyncio.timeout(self._worker.restore_timeout / 1000):
            await log.fence()
            loader = self._factory.store()
            restored = await log.restore(loader.load)
            first, end = await self._bounds()
        position = restored.position or model.Position(next_offset=first)
        # Past the end: the topic was deleted and made again.
        gap = not first <= position.next_offset <= end
        if gap:
            position = self._handle_offset_gap(position, first, end)
        work = self._factory.processor(
            number=self.tp.partition,
            committer=log,
            loader=loader,
            position=position,
            end_offset=end,
            recheck_open=gap,
        )
        seconds = (self._clock.now_ms() - begun) / 1000
        self._observer.restored(self.tp.partition, restored.records, seconds)
        await self._assigned.wait()
        self.work = work
        self._resume(work)
        await work.run()

    def _handle_offset_gap(
        self, position: model.Position, first: int, end: int
    ) -> model.Position:
        """Refuse to go on past lost events, unless an operator said so."""
        if not self._skip_lost_events:
            raise errors.PositionLost(
                f"partition {self.tp.partition} of {self.tp.topic} has the offsets"
                f" {first} to {end}, but the next event to consume is"
                f" {position.next_offset}: the events between were deleted by the"
                " retention, or the topic was created again; start the workers once"
                " with --skip-lost-events to continue without them"
            )
        self._observer.gap_accepted(self.tp.partition, position.next_offset, first)
        return model.Position(next_offset=first, starts=position.starts)

    async def _bounds(self) -> tuple[int, int]:
        first = await self._consumer.beginning_offsets([self.tp])
        end = await self._consumer.end_offsets([self.tp])
        return first[self.tp], end[self.tp]

    def _hold_back(self) -> None:
        """Take no more events in; the partition may have been revoked already."""
        if self.tp in self._consumer.assignment():
            self._consumer.pause(self.tp)

    async def _discard(self) -> None:
        """Throw memory and producer away; whatever was in flight stays in doubt."""
        work, self.work = self.work, None
        if work is not None:
            self._last_offset = work.next_offset
            await work.close()
        log, self._log = self._log, None
        if log is not None:
            await log.discard()

    async def _back_off(self, failures: int) -> None:
        chance = random.random()  # noqa: S311 -- no secret
        wait_ms = self._worker.backoff.delay_ms(failures, chance)
        await self._clock.sleep(wait_ms / 1000)

    async def _confirm_assignment(self) -> None:
        """Return once it is shown that this partition is ours; else we are dropped."""
        timeout_ms = self._worker.assignment_check_timeout
        while True:
            await self._assigned.wait()
            try:
                with cancellation.contained():
                    doubt = await membership.verify_ownership(
                        self._consumer, self.tp, self._last_offset, timeout_ms
                    )
            except cancellation.LeakedCancellation:
                doubt = errors.KafkaUnavailable("the consumer is being closed")
            if doubt is None:
                return
            denied = isinstance(doubt, errors.KafkaUnauthorised)
            if denied:
                failure_reports.report_partition_failure(
                    self._observer, self.tp.partition, doubt
                )
            await self._back_off(_DENIED if denied else 1)
