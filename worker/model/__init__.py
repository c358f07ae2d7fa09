"""
Hold the values that everything else speaks in.

Times are integers, milliseconds since the epoch, UTC; only the codec writes
them as RFC 3339. Nothing here has a field for personal data, except
``Callback`` and ``Answer``, whose bodies stay out of ``repr``.
"""

from worker.model.begins import BeginMode, BeginRequest, BeginStage, Begun, Intent
from worker.model.callbacks import (
    Callback,
    Event,
    Ignored,
    Message,
    Normalised,
    SessionKey,
    VerifiedCallback,
    Wake,
)
from worker.model.decisions import (
    Answer,
    Cause,
    Claim,
    ClaimKind,
    DeadLetter,
    Decision,
    Position,
    Result,
    Verdict,
    redrive_command,
)
from worker.model.enums import (
    AlarmKind,
    CauseType,
    DeadLetterReason,
    Environment,
    EventType,
    Flag,
    NextStep,
    Outcome,
    Reason,
)
from worker.model.ids import named_id, new_id
from worker.model.records import UNREAD_MAX_BYTES, UnreadRecord

POSITION_KEY = "__position"

__all__ = [
    "POSITION_KEY",
    "UNREAD_MAX_BYTES",
    "AlarmKind",
    "Answer",
    "BeginMode",
    "BeginRequest",
    "BeginStage",
    "Begun",
    "Callback",
    "Cause",
    "CauseType",
    "Claim",
    "ClaimKind",
    "DeadLetter",
    "DeadLetterReason",
    "Decision",
    "Environment",
    "Event",
    "EventType",
    "Flag",
    "Ignored",
    "Intent",
    "Message",
    "NextStep",
    "Normalised",
    "Outcome",
    "Position",
    "Reason",
    "Result",
    "SessionKey",
    "UnreadRecord",
    "Verdict",
    "VerifiedCallback",
    "Wake",
    "named_id",
    "new_id",
    "redrive_command",
]
