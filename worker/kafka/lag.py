"""Know how many events are still to be taken, and whether the partitions get on."""

import contextlib
import dataclasses
from collections.abc import Mapping

import aiokafka
from aiokafka import TopicPartition

from worker import clock as clocks
from worker.kafka import partition_runner

_EVERY_S = 2.0
#: an end that was read so long ago does not say that Kafka has something for us
_FRESH_MS = 30_000


@dataclasses.dataclass(slots=True)
class _PartitionLag:
    """Where a partition is, and since when it has been there with events behind."""

    next_offset: int
    since: int
    #: since when it could have taken one: it has room, and Kafka answers
    able_since: int


class Lag:
    """
    How far the owned partitions are behind the ends of their topic.

    The ends are asked for. The consumer's own highwater comes with fetched records, so
    that a partition that is paused or stuck always seems to be at its end.
    """

    def __init__(self, clock: clocks.Clock) -> None:
        self._clock = clock
        self._ends: dict[TopicPartition, int] = {}
        self._read_at: int | None = None
        self._places: dict[TopicPartition, _PartitionLag] = {}

    def records(self, tp: TopicPartition, next_offset: int) -> int:
        """Return how many events are there from *next_offset* on."""
        return max(self._ends.get(tp, 0) - next_offset, 0)

    def blocked_ms(self) -> int:
        """Return for how long some partition has had events and taken none."""
        now = self._clock.now_ms()
        return max((now - each.since for each in self._places.values()), default=0)

    def stuck_ms(self) -> int:
        """Return for how long one has that has room for them, while Kafka answers."""
        now = self._clock.now_ms()
        return max((now - each.able_since for each in self._places.values()), default=0)

    async def follow(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        mine: Mapping[int, partition_runner.PartitionRunner],
    ) -> None:
        """
        Ask again and again, until cancelled; an outage leaves the ends as they were.

        After that nothing is known, and nothing stands: there is no membership.
        """
        try:
            await self._follow(consumer, mine)
        finally:
            self.keep_only(set())

    async def _follow(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        mine: Mapping[int, partition_runner.PartitionRunner],
    ) -> None:
        while True:
            places = [each.tp for each in mine.values() if each.work is not None]
            if places:
                with contextlib.suppress(aiokafka.errors.KafkaError, TimeoutError):
                    self.read(await consumer.end_offsets(places))
            self.keep_only({each.tp for each in mine.values()})
            for each in mine.values():
                if each.work is not None:
                    self.observe(each.tp, each.next_offset, room=each.work.has_room)
            await self._clock.sleep(_EVERY_S)

    def read(self, ends: Mapping[TopicPartition, int]) -> None:
        """Store the *ends* that Kafka has just returned."""
        self._ends.update(ends)
        self._read_at = self._clock.now_ms()

    def keep_only(self, mine: set[TopicPartition]) -> None:
        """Forget what is not *mine* any more."""
        for tp in [tp for tp in self._ends if tp not in mine]:
            del self._ends[tp]
            self._places.pop(tp, None)

    def observe(self, tp: TopicPartition, next_offset: int, *, room: bool) -> None:
        """Take note of where a partition is, and whether it has *room* for more."""
        now = self._clock.now_ms()
        place = self._places.get(tp)
        if not self.records(tp, next_offset):
            self._places.pop(tp, None)
        elif place is None or place.next_offset != next_offset or place.since > now:
            self._places[tp] = _PartitionLag(next_offset, now, now)
        elif not room or not self._is_fresh(now):
            place.able_since = now

    def _is_fresh(self, now: int) -> bool:
        return self._read_at is not None and 0 <= now - self._read_at < _FRESH_MS
