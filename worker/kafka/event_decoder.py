"""Make of a record of the event topic what a partition takes; never a crash."""

from typing import Protocol

from worker import clock, codec, errors, model, ports
from worker.kafka import partitioning, record_format


class Consumed(Protocol):
    """What aiokafka hands out, as far as it is used here."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: codec.ForeignHeaders


def decode_event(
    record: Consumed | record_format.Undecodable, now: int, partitions: int
) -> ports.ConsumedEvent:
    """
    Return the event in *record*, or the dead letter that a foreign record becomes.

    An event in another partition than that of its key is refused: its session's state
    stands in the ledger's partition of that number, and would begin here once more. A
    batch that cannot be decoded is one letter. A record of a later ``schema_version``
    is returned whole beside its letter, unless it is too large to wait.
    """
    if isinstance(record, record_format.Undecodable):
        letter = _letter(record.place, record, record.why, now)
        return ports.ConsumedEvent(record.last_offset, None, letter)
    try:
        event = codec.read_event(record.key, record.value, record.headers)
    except codec.MalformedRecord as error:
        return ports.ConsumedEvent(
            record.offset, None, _letter(_place(record), record, error.reason, now)
        )
    except errors.UnknownVersion as error:
        letter = _letter(_place(record), record, error.reason, now)
        return ports.ConsumedEvent(record.offset, None, letter, _unread(record))
    if partitioning.partition_of(str(event.key).encode(), partitions) != (
        record.partition
    ):
        letter = _letter(_place(record), record, "wrong_partition", now, event)
        return ports.ConsumedEvent(record.offset, None, letter)
    return ports.ConsumedEvent(record.offset, event)


def _unread(record: Consumed) -> model.UnreadRecord | None:
    """Return *record* as it is, None where it is too large to be kept."""
    unread = model.UnreadRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
    )
    return unread if unread.size_bytes <= model.UNREAD_MAX_BYTES else None


def _place(record: Consumed) -> str:
    return f"{record.topic}:{record.partition}:{record.offset}"


def _letter(
    place: str,
    record: Consumed | record_format.Undecodable,
    last_error: str,
    now: int,
    event: model.Event | None = None,
) -> model.DeadLetter:
    """Return the dead letter of *record*; its id is made of the record's place."""
    # What a producer says, and so perhaps no time that can be written.
    said = record.timestamp
    return model.DeadLetter(
        dead_letter_id=model.deterministic_id(f"kyc:dlq:{place}"),
        reason=model.DeadLetterReason.UNMAPPABLE,
        environment=None if event is None else event.environment,
        source="unknown" if event is None else event.source,
        session_id=None if event is None else event.session_id,
        event_id=None if event is None else event.event_id,
        attempts=1,
        first_seen_at=said if 0 < said <= clock.LATEST_MS else now,
        last_error=last_error,
        at=now,
        place=place,
        redrive=None if event is None else model.redrive_command(event.key),
    )
