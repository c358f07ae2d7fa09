"""Make of a record of the event topic what a partition takes; never a crash."""

from typing import Protocol

from worker import clock, codec, model, ports
from worker.transport import record_format


class Consumed(Protocol):
    """What aiokafka hands out, as far as it is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: codec.ForeignHeaders


def taken(record: Consumed | record_format.Undecodable, now: int) -> ports.Taken:
    """
    Return the event in *record*, or the dead letter that a foreign record becomes.

    A batch that cannot be decoded is one letter. Raises errors.UnknownVersion for a
    record of a later release: not ready, but never a dead letter.
    """
    if isinstance(record, record_format.Undecodable):
        letter = _letter(record.place, record.timestamp, record.why, now)
        return ports.Taken(record.last_offset, None, letter)
    try:
        event = codec.read_event(record.key, record.value, record.headers)
    except codec.MalformedRecord as error:
        place = f"{record.topic}:{record.partition}:{record.offset}"
        letter = _letter(place, record.timestamp, error.reason, now)
        return ports.Taken(record.offset, None, letter)
    return ports.Taken(record.offset, event)


def _letter(place: str, timestamp: int, last_error: str, now: int) -> model.DeadLetter:
    return model.DeadLetter(
        dead_letter_id=model.named_id(f"kyc:dlq:{place}"),
        reason=model.DeadLetterReason.UNMAPPABLE,
        source="unknown",
        session_id=None,
        event_id=None,
        attempts=1,
        first_seen_at=timestamp if 0 < timestamp <= clock.LATEST_MS else now,
        last_error=last_error,
        at=now,
        place=place,
    )
