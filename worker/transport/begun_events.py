"""Look in ``kyc.events`` for the sessions of begins that nobody has ended."""

import contextlib
from collections.abc import Collection, Mapping

from worker import codec, errors, model, settings
from worker.transport import reader

#: A return's begin id is the ticket's, and its session id only the browser's.
_PROOFS = frozenset(
    {model.EventType.SESSION_REGISTERED, model.EventType.CALLBACK_RECEIVED}
)
_NO_BEGIN_ID = b'"begin_id":null'


class BegunEvents:
    """Implements ports.EventHistory."""

    def __init__(self, kafka: settings.Kafka) -> None:
        self._kafka = kafka

    async def begun(
        self, keys: Collection[str], since: int
    ) -> Mapping[str, model.Event]:
        """Return the event that proves which session each of *keys* began."""
        found: dict[str, model.Event] = {}
        records = reader.follow(
            self._kafka,
            [self._kafka.topic("events")],
            reader.Span.UNTIL_END,
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
