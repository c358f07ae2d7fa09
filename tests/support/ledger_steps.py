"""Hold one step of one session, and ask what it means."""

import dataclasses

from tests.support import inputs
from worker import ledger, model, policy

#: Short times and few attempts, so that short histories reach every end.
QUICK = dataclasses.replace(
    inputs.FETCHED,
    retry=policy.Backoff(initial_delay_ms=1_000, factor=2.0, max_delay_ms=2_000),
    retry_give_up_after_ms=2_000,
    retry_attempts=2,
    not_ready=policy.Backoff(initial_delay_ms=1_000, factor=1.0, max_delay_ms=1_000),
    not_ready_attempts=2,
    recheck_pending_ms=(2_000, 3_000),
    recheck_min_interval_ms=3_000,
    unconfirmed_grace_ms=2_000,
    not_found_attempts=2,
    not_found_within_ms=2_000,
    quarantine_attempts=2,
    session_retention_ms=60_000,
    session_deadline_ms=3_000,
    overdue_attempts=2,
    overdue_retention_ms=3_000,
    registration_grace_ms=2_000,
)
#: The same for a source with fast polls, for one that knows its sessions, and for
#: those that fetch nothing.
POLLED = dataclasses.replace(
    QUICK,
    polling=policy.PollSchedule(
        initial_delay_ms=2_000, interval_ms=1_000, max_attempts=2
    ),
)
KNOWN = dataclasses.replace(QUICK, registered_sessions_only=True)
UNPOLLABLE = dataclasses.replace(QUICK, fetches=False)
STRICT = dataclasses.replace(UNPOLLABLE, registered_sessions_only=True)

EVENTS = (ledger.CallbackTaken, ledger.RecheckTaken)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One input, and what it made of a session."""

    before: ledger.Session | None
    input_: ledger.Input
    now: int
    rules: policy.SourcePolicy
    after: ledger.Session | None
    effects: list[ledger.Effect]

    @property
    def at(self) -> int:
        """Return the session's own time."""
        return (
            self.now if self.before is None else max(self.now, self.before.updated_at)
        )

    @property
    def emitted(self) -> list[model.Decision]:
        """Return the decisions of this step."""
        return inputs.emitted(self.effects)

    @property
    def buried(self) -> bool:
        """Return whether this step wrote a dead letter."""
        return any(isinstance(effect, ledger.EmitDeadLetter) for effect in self.effects)


def asks(taken: Step) -> bool:
    """Return whether *taken* is a wake-up that has to be answered by a fetch."""
    if not taken.rules.fetches:
        return False
    if isinstance(taken.input_, ledger.ReturnTaken):
        before = taken.before
        ignored = ledger.Count(ledger.CounterKind.RETURN_IGNORED) in taken.effects
        answered = before is not None and before.final and not before.expired_by_us
        return not ignored and not answered
    repeated = ledger.Count(ledger.CounterKind.REPEATED) in taken.effects
    return isinstance(taken.input_, EVENTS) and not repeated


def is_due(session: ledger.Session, at: int) -> bool:
    """Return whether a fetch may start at *at*."""
    return session.due_at is not None and session.due_at <= at


def is_answered(session: ledger.Session | None) -> bool:
    """Return whether the provider's final stands, which answers a person's return."""
    return session is not None and session.final and not session.expired_by_us


def is_wanted(session: ledger.Session | None) -> bool:
    """Return whether a fetch that has not started yet is to come."""
    if session is None:
        return False
    if session.flight is not None:
        return session.queued_cause is not None
    return session.due_at is not None
