"""
Hold the values that everything else speaks in.

Times are integers, milliseconds since the epoch, UTC; only the codec writes
them as RFC 3339. Nothing here has a field for personal data, except
``Callback`` and ``Answer``, whose bodies stay out of ``repr``.
"""

from worker.model.begins import (
    BeginMode,
    BeginRequest,
    BeginStage,
    Intent,
    StartedSession,
)
from worker.model.callbacks import (
    UNREAD_MAX_BYTES,
    Callback,
    Event,
    ForwardedMessage,
    IgnoredCallback,
    Normalised,
    SessionKey,
    UnreadRecord,
    VerifiedCallback,
    WakeUp,
)
from worker.model.decisions import (
    Cause,
    Claim,
    ClaimKind,
    DeadLetter,
    Decision,
    Position,
    ProviderResponse,
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
from worker.model.ids import deterministic_id, random_id

POSITION_KEY = "__position"

__all__ = [
    "POSITION_KEY",
    "UNREAD_MAX_BYTES",
    "AlarmKind",
    "BeginMode",
    "BeginRequest",
    "BeginStage",
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
    "ForwardedMessage",
    "IgnoredCallback",
    "Intent",
    "NextStep",
    "Normalised",
    "Outcome",
    "Position",
    "ProviderResponse",
    "Reason",
    "Result",
    "SessionKey",
    "StartedSession",
    "UnreadRecord",
    "Verdict",
    "VerifiedCallback",
    "WakeUp",
    "deterministic_id",
    "random_id",
    "redrive_command",
]
