"""Follow ``kyc.begins``, and write it: who began what, the same for every replica."""

import asyncio
import collections
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from worker import cancellation, codec, errors, model, settings
from worker import clock as clocks
from worker.kafka import (
    begin_index,
    connectivity,
    error_mapping,
    event_producer,
    reader,
)

_BACK_OFF_S = 1.0
# How long a person who comes back waits for the record of the session's beginning.
_PATIENCE_S = 1.0

Waiters = dict[str, set[asyncio.Future[None]]]


class BeginFollower:
    """
    What stands of every begin, read without a group and followed on.

    Implements ports.Begins. It holds what has ended for *kept_ms*.
    """

    def __init__(
        self,
        kafka: settings.Kafka,
        clock: clocks.Clock,
        log: connectivity.Log,
        *,
        window_ms: int,
        kept_ms: int,
    ) -> None:
        self._kafka = kafka
        self._clock = clock
        self._log = log
        self._window_ms = window_ms
        self._kept_ms = kept_ms
        self._caught_up = asyncio.Event()
        self._waiters: Waiters = collections.defaultdict(set)
        self._following: asyncio.Task[None] | None = None
        self._throttle = connectivity.once_a_minute(clock)
        self.view = begin_index.BeginIndex(window_ms=window_ms)

    def start(self) -> None:
        """Begin to read; until all is read ``caught_up`` waits."""
        self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Read no longer; idempotent."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Return whether all that there was at the start is known."""
        return self._caught_up.is_set()

    async def caught_up(self) -> None:
        """Return once all that there was at the start is known."""
        await self._caught_up.wait()

    async def find_session(self, source: str, begin_id: str) -> str | None:
        """
        Return the session that *begin_id* began; raises nothing.

        Waits a moment where it is not known yet; None where it stays so.
        """
        key = f"{source}:{begin_id}"

        def known() -> str | None:
            held = self.view.get(key)
            return None if held is None else held.intent.session_id

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._until(key, lambda: known() is not None)
        return known()

    async def _until(self, key: str, holds: Callable[[], bool]) -> None:
        """Return once *holds*, which is asked whenever a record of *key* was taken."""
        while not holds():
            taken = asyncio.get_running_loop().create_future()
            self._waiters[key].add(taken)
            try:
                await taken
            finally:
                self._waiters[key].discard(taken)
                if not self._waiters[key]:
                    del self._waiters[key]

    def forget_ended(self) -> None:
        """Hold no longer what ended long ago."""
        for intent in self._ended_long_ago():
            self.view.forget(intent.key)

    def _ended_long_ago(self) -> list[model.Intent]:
        """Return what is past its retention."""
        older = self.view.older(self._clock.now_ms() - self._kept_ms)
        return [intent for intent in older if not intent.open]

    async def _follow(self) -> None:
        """Read from the beginning, and again from there after any failure."""
        while True:
            try:
                with cancellation.contained():
                    await self._read(begin_index.BeginIndex(window_ms=self._window_ms))
            except Exception as error:  # noqa: BLE001 -- whatever it was, the next reader is new
                self._complain(error)
            self._caught_up.clear()
            await self._clock.sleep(_BACK_OFF_S)

    async def _read(self, view: begin_index.BeginIndex) -> None:
        """Take every record into *view*, which counts once all is read."""

        def caught_up() -> None:
            # Until here the view from before is used.
            self.view = view
            self._caught_up.set()
            for key in list(self._waiters):
                self._wake(key)

        records = reader.follow(
            self._kafka,
            [self._kafka.topic("begins")],
            reader.ReadRange.FROM_BEGINNING,
            caught_up=caught_up,
        )
        async with contextlib.aclosing(records):
            async for found in records:
                self._take(view, found)

    def _complain(self, error: Exception) -> None:
        """Say why the begins cannot be read, once a minute."""
        failure = error_mapping.map_error("reading the begins", error, "Read")
        message, reason = str(failure), failure.reason
        if not self._throttle.admits(message):
            return
        if isinstance(failure, errors.KafkaUnauthorised):
            self._log.warning("kafka.unauthorised", reason=reason, message=message)
        else:
            self._log.warning("begins.read_failed", reason=reason, message=message)

    def _take(self, view: begin_index.BeginIndex, found: reader.ConsumedRecord) -> None:
        held = found.record
        intent = None
        try:
            if held.value is not None:
                intent = codec.read_begin(held.key, held.value)
        except (codec.MalformedRecord, errors.UnknownVersion) as error:
            if self._throttle.admits(str(error)):
                self._log.warning("begins.read_failed", reason=error.reason)
            return
        key = held.key.decode(errors="replace")
        view.take(key, intent, found.timestamp_ms)
        self._wake(key)

    def _wake(self, key: str) -> None:
        for each in self._waiters.get(key, ()):
            if not each.done():
                each.set_result(None)


class BeginLog(BeginFollower):
    """
    The same with the right to write; implements ports.BeginLog.

    *sink* writes the topics ``events`` and ``begins``.
    """

    def __init__(
        self,
        kafka: settings.Kafka,
        clock: clocks.Clock,
        log: connectivity.Log,
        *,
        sink: event_producer.EventProducer,
        ack_timeout_ms: int,
        window_ms: int,
        kept_ms: int,
    ) -> None:
        super().__init__(kafka, clock, log, window_ms=window_ms, kept_ms=kept_ms)
        self._sink = sink
        self._ack_timeout_s = ack_timeout_ms / 1000

    def current(self, key: str) -> model.Intent | None:
        """Return the attempt that counts for *key*, as far as it was read."""
        held = self.view.get(key)
        return None if held is None else held.intent

    def list_open(self) -> Sequence[model.Intent]:
        """Return the attempts whose end is not recorded."""
        return list(self.view.open())

    async def record_intent(self, intent: model.Intent) -> model.Intent:
        """
        Write *intent*, read up to it, and return the attempt that counts.

        Raises errors.KafkaUnavailable where that takes longer than ``ack_timeout``
        for each; it may be written all the same.
        """
        await self._within(self.caught_up())
        await self._sink.write("begins", codec.begin_record(intent))
        await self._within(
            self._until(intent.key, lambda: self.ready and self.view.saw(intent))
        )
        standing = self.current(intent.key)
        return intent if standing is None else standing

    async def _within(self, waiting: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                await waiting
        except TimeoutError:
            raise errors.KafkaUnavailable("the begins are not read in time") from None

    async def record_outcome(self, intent: model.Intent) -> None:
        """Return once Kafka has acknowledged how *intent* ended; raises as above."""
        await self._sink.write("begins", codec.begin_record(intent))

    async def refresh_retention(self) -> None:
        """
        Write anew what another attempt's record hides, and forget what ended long ago.

        Raises errors.KafkaUnavailable; idempotent, on several replicas too.
        """
        for intent in self.view.shadowed():
            await self._sink.write("begins", codec.begin_record(intent))
        for intent in self._ended_long_ago():
            await self.delete(intent)

    async def delete(self, intent: model.Intent) -> None:
        """Let Kafka forget *intent*; raises errors.KafkaUnavailable."""
        await self._sink.write("begins", codec.begin_tombstone(intent.key))


#: A return's begin id is the ticket's, and its session id only the browser's.
_PROOFS = frozenset(
    {model.EventType.SESSION_REGISTERED, model.EventType.CALLBACK_RECEIVED}
)
_NO_BEGIN_ID = b'"begin_id":null'


class BegunEvents:
    """Implements ports.EventHistory."""

    def __init__(self, kafka: settings.Kafka) -> None:
        self._kafka = kafka

    async def find_begin_events(
        self, keys: Collection[str], since: int
    ) -> Mapping[str, model.Event]:
        """Return the event that proves which session each of *keys* began."""
        found: dict[str, model.Event] = {}
        records = reader.follow(
            self._kafka,
            [self._kafka.topic("events")],
            reader.ReadRange.UNTIL_END,
            since_ms=since,
        )
        async with contextlib.aclosing(records):
            async for each in records:
                event = _proof(each.record)
                if event is not None:
                    key = f"{event.source}:{event.begin_id}"
                    if key in keys:
                        found.setdefault(key, event)
        return found


def _proof(record: codec.Record) -> model.Event | None:
    """Return the event of *record* if it proves a session's beginning."""
    if record.value is None or _NO_BEGIN_ID in record.value:
        return None
    try:
        event = codec.read_event(record.key, record.value, record.headers)
    except (codec.MalformedRecord, errors.UnknownVersion):
        return None  # the worker's affair
    return event if event.begin_id is not None and event.type in _PROOFS else None
