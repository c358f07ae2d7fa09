"""Define the inputs of a session, and the effects that follow."""

import dataclasses
import enum

from worker import errors, model


@dataclasses.dataclass(frozen=True, slots=True)
class CallbackTaken:
    """A ``callback.received`` event, and what the callback itself claims."""

    event: model.Event
    claim: model.Claim | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RecheckTaken:
    """A ``recheck.requested`` event: fetch now, whatever the interval."""

    event: model.Event


@dataclasses.dataclass(frozen=True, slots=True)
class RegistrationTaken:
    """A ``session.registered`` event: the company began this session."""

    event: model.Event


@dataclasses.dataclass(frozen=True, slots=True)
class ReturnTaken:
    """A ``session.returned`` event: the person is back, or the widget has finished."""

    event: model.Event


@dataclasses.dataclass(frozen=True, slots=True)
class EventsLost:
    """Events may have been lost that woke this session: look again, if it is open."""


@dataclasses.dataclass(frozen=True, slots=True)
class FetchStarting:
    """There is room for this session's fetch, which is due."""


@dataclasses.dataclass(frozen=True, slots=True)
class TimerFired:
    """
    What the session waits for without a fetch may be over: a hold, a deadline.

    *behind* where events are still to be taken that may be older than the hold.
    """

    behind: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class HoldEvicted:
    """There is no room to hold this session any longer."""


@dataclasses.dataclass(frozen=True, slots=True)
class Dropped:
    """
    End the session if it is unanswered: its source has too many of them.

    *purged* where an operator ends them all.
    """

    purged: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class InterpretStarting:
    """The answer of fetch *seq* is about to be mapped; written before it is."""

    seq: int


@dataclasses.dataclass(frozen=True, slots=True)
class FetchSucceeded:
    """Fetch *seq* brought a result."""

    seq: int
    result: model.Result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What an errors.FetchError says, as a value."""

    reason: str
    disposition: errors.Disposition
    answered: bool
    retry_after_ms: int | None = None

    @classmethod
    def of(cls, error: errors.FetchError) -> "Failure":
        """Return the value of *error*."""
        return cls(
            reason=error.reason,
            disposition=error.disposition,
            answered=error.answered,
            retry_after_ms=error.retry_after_ms,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class FetchFailed:
    """Fetch *seq* brought no result; *counted* where MappingStarting counted it."""

    seq: int
    failure: Failure
    counted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class RecordTooLarge:
    """What the session took last makes its record too large: it was put back."""


@dataclasses.dataclass(frozen=True, slots=True)
class RetentionExpired:
    """It may be time to forget this session."""


Input = (
    CallbackTaken
    | RecheckTaken
    | RegistrationTaken
    | ReturnTaken
    | EventsLost
    | FetchStarting
    | TimerFired
    | HoldEvicted
    | Dropped
    | InterpretStarting
    | FetchSucceeded
    | FetchFailed
    | RecordTooLarge
    | RetentionExpired
)


class CounterKind(enum.StrEnum):
    """What changes nothing and is counted all the same."""

    REPEATED = "repeated"
    LATE_FINAL = "late_final"
    STALE_PRELIMINARY = "stale_preliminary"
    FUTURE_TIME = "future_time"
    NO_FETCH_CONFIGURED = "no_fetch_configured"
    RETRY = "retry"
    NOT_READY = "not_ready"
    DENIED = "denied"
    UNCONFIRMED = "unconfirmed"
    AWAITING_REGISTRATION = "awaiting_registration"
    UNKNOWN = "unknown"
    RETURN_IGNORED = "return_ignored"
    DROPPED = "dropped"
    PURGED = "purged"


class Milestone(enum.StrEnum):
    """How far a registered session has come; each is reached once."""

    REGISTERED = "registered"
    RETURNED = "returned"
    CALLED_BACK = "called_back"
    CALLBACKS_MISSED = "callbacks_missed"
    NOT_COMPLETED = "not_completed"
    OVERDUE_UNPOLLABLE = "overdue_unpollable"


@dataclasses.dataclass(frozen=True, slots=True)
class Fetch:
    """Start the session's fetch now."""

    seq: int


@dataclasses.dataclass(frozen=True, slots=True)
class EmitDecision:
    """Write this decision."""

    decision: model.Decision


@dataclasses.dataclass(frozen=True, slots=True)
class EmitDeadLetter:
    """Write this dead letter."""

    letter: model.DeadLetter


@dataclasses.dataclass(frozen=True, slots=True)
class Alarm:
    """Tell a person."""

    kind: model.AlarmKind


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """Count it."""

    kind: CounterKind


@dataclasses.dataclass(frozen=True, slots=True)
class MilestoneReached:
    """Count a registered session's step."""

    step: Milestone


@dataclasses.dataclass(frozen=True, slots=True)
class SessionDenied:
    """The session ends unseen: count it into the hour's summary."""


@dataclasses.dataclass(frozen=True, slots=True)
class UnregisteredExpired:
    """The session ends unseen, never registered: count it into the hour's summary."""


@dataclasses.dataclass(frozen=True, slots=True)
class DeleteSession:
    """The stub's time is over: its latest decision goes with it."""


@dataclasses.dataclass(frozen=True, slots=True)
class SkipPersist:
    """
    Nothing of this step need be written, and nothing else follows but notes.

    Whoever finds the state from before it does the same again. Always the last.
    """


Effect = (
    Fetch
    | EmitDecision
    | EmitDeadLetter
    | Alarm
    | Count
    | MilestoneReached
    | SessionDenied
    | UnregisteredExpired
    | DeleteSession
    | SkipPersist
)
