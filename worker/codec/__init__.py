"""Turn values into Kafka records and back: the code side of ``schemas/``."""

from worker.codec.begins import begin_record, begin_tombstone, read_begin
from worker.codec.dead_letters import dead_letter_record, read_dead_letter
from worker.codec.decisions import decision_record, decision_tombstone, read_decision
from worker.codec.deferred_events import PREFIX as DEFERRED_PREFIX
from worker.codec.deferred_events import encode_deferred, is_unread, read_deferred
from worker.codec.envelope import ForeignHeaders, Headers, new_traceparent
from worker.codec.events import event_record, read_event
from worker.codec.ledger_v1 import (
    encode_session,
    has_open_state,
    position_record,
    read_position,
    read_session,
    session_record,
)
from worker.codec.record import FieldTooLong, MalformedRecord, Record

__all__ = [
    "DEFERRED_PREFIX",
    "FieldTooLong",
    "ForeignHeaders",
    "Headers",
    "MalformedRecord",
    "Record",
    "begin_record",
    "begin_tombstone",
    "dead_letter_record",
    "decision_record",
    "decision_tombstone",
    "encode_deferred",
    "encode_session",
    "event_record",
    "has_open_state",
    "is_unread",
    "new_traceparent",
    "position_record",
    "read_begin",
    "read_dead_letter",
    "read_decision",
    "read_deferred",
    "read_event",
    "read_position",
    "read_session",
    "session_record",
]
