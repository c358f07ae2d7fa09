"""What becomes of a record of the event topic: an event, or a dead letter."""

import dataclasses

import pytest

from tests.support import inputs
from worker import codec, model
from worker.kafka import event_decoder, partitioning

_PARTITIONS = 12
_NOW = inputs.START
_EVENT = inputs.event()._replace(event_id=model.random_id())


@dataclasses.dataclass(kw_only=True)
class _Consumed:
    """A record as aiokafka hands it out."""

    topic: str = "kyc.events"
    partition: int = partitioning.partition_of(str(_EVENT.key).encode(), _PARTITIONS)
    offset: int = 7
    timestamp: int = _NOW - 5
    key: bytes | None = None
    value: bytes | None = None
    headers: codec.ForeignHeaders = ()


def _consumed(event: model.Event = _EVENT) -> _Consumed:
    record = codec.event_record(event)
    return _Consumed(key=record.key, value=record.value, headers=record.headers)


def test_an_event_in_its_key_s_partition_is_taken() -> None:
    """What our producers write is an event."""
    taken = event_decoder.decode_event(_consumed(), _NOW, _PARTITIONS)

    assert (taken.offset, taken.event, taken.letter) == (7, _EVENT, None)


def test_an_event_in_any_other_partition_is_refused() -> None:
    """There a second state of its session would begin, and revision 1 come twice."""
    own = _consumed().partition
    for other in set(range(_PARTITIONS)) - {own}:
        consumed = _consumed()
        consumed.partition = other
        taken = event_decoder.decode_event(consumed, _NOW, _PARTITIONS)
        letter = taken.letter
        assert taken.event is None
        assert letter is not None
        assert (letter.reason, letter.last_error) == ("unmappable", "wrong_partition")
        assert _EVENT.key == model.SessionKey(letter.source, letter.session_id or "")
        assert letter.dead_letter_id == model.deterministic_id(
            f"kyc:dlq:kyc.events:{other}:7"
        )
        assert letter.redrive == model.redrive_command(_EVENT.key)


def test_a_text_that_is_too_long_is_told_by_its_own_word() -> None:
    """The letter says what is wrong with the record."""
    taken = event_decoder.decode_event(
        _consumed(_EVENT._replace(reference="x" * 256)), _NOW, _PARTITIONS
    )

    assert taken.letter is not None
    assert taken.letter.last_error == "field_too_long"


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62, 253_402_300_800_000])
def test_a_timestamp_that_is_no_time_stops_nothing(timestamp: int) -> None:
    """Any producer sets it: the letter can be written all the same."""
    consumed = _Consumed(timestamp=timestamp, value=b"no event")
    letter = event_decoder.decode_event(consumed, _NOW, _PARTITIONS).letter

    assert letter is not None
    assert letter.first_seen_at == _NOW
    assert codec.dead_letter_record(letter).value
