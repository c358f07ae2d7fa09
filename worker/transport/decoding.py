"""Make of a record of the event topic what a partition takes; never a crash."""

from typing import Protocol

from worker import codec, model, ports


class Consumed(Protocol):
    """What aiokafka hands out, as far as it is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: codec.ForeignHeaders


def taken(record: Consumed, now: int) -> ports.Taken:
    """
    Return the event in *record*, or the dead letter that a foreign record becomes.

    Raises errors.UnknownVersion for a record of a later release: not ready, but
    never a dead letter.
    """
    try:
        event = codec.read_event(record.key, record.value, record.headers)
    except codec.MalformedRecord as error:
        return ports.Taken(record.offset, None, _letter(record, error.reason, now))
    return ports.Taken(record.offset, event)


def _letter(record: Consumed, last_error: str, now: int) -> model.DeadLetter:
    place = f"kyc:dlq:{record.topic}:{record.partition}:{record.offset}"
    return model.DeadLetter(
        dead_letter_id=model.named_id(place),
        reason=model.DeadLetterReason.UNMAPPABLE,
        source="unknown",
        session_id=None,
        event_id=None,
        attempts=1,
        first_seen_at=record.timestamp if record.timestamp > 0 else now,
        last_error=last_error,
        at=now,
    )
