"""Decide what provider statuses mean and when to fetch again, without a clock."""

import dataclasses
import enum
import math
from collections.abc import Iterable

from worker import model

_REJECTED_RETRYABLE = frozenset(
    {
        model.Reason.DOCUMENT_INVALID,
        model.Reason.DOCUMENT_EXPIRED,
        model.Reason.DATA_MISMATCH,
        model.Reason.BIOMETRIC_FAILED,
        model.Reason.CONSENT_REFUSED,
        model.Reason.TECHNICAL_FAILURE,
        model.Reason.NOT_COMPLETED,
        model.Reason.APPROVAL_EXPIRED,
    }
)


def approved(
    *,
    status: str | None,
    flags: Iterable[model.Flag] = (),
    provider_time: int | None = None,
) -> model.Verdict:
    """Return a final approval; *status* is the provider's listed word."""
    return model.Verdict(
        outcome=model.Outcome.APPROVED,
        reason=model.Reason.VERIFIED,
        retryable=False,
        next_step=model.NextStep.NONE,
        flags=tuple(sorted(set(flags))),
        provider_status=status,
        provider_time=provider_time,
    )


def rejected(
    reason: model.Reason,
    *,
    status: str | None,
    provider_reason: str | None = None,
    retryable: bool | None = None,
    flags: Iterable[model.Flag] = (),
    provider_time: int | None = None,
) -> model.Verdict:
    """
    Return a final rejection.

    *retryable* says that a new session may be offered; where it is None the
    reason's own default holds (never for fraud, screening and eligibility).
    """
    if retryable is None:
        retryable = reason in _REJECTED_RETRYABLE
    return model.Verdict(
        outcome=model.Outcome.REJECTED,
        reason=reason,
        retryable=retryable,
        next_step=(model.NextStep.NEW_SESSION if retryable else model.NextStep.NONE),
        flags=tuple(sorted(set(flags))),
        provider_status=status,
        provider_reason=provider_reason,
        provider_time=provider_time,
    )


def pending(
    reason: model.Reason,
    *,
    status: str | None,
    provider_reason: str | None = None,
    next_step: model.NextStep = model.NextStep.WAIT,
    retryable: bool = False,
    flags: Iterable[model.Flag] = (),
    provider_time: int | None = None,
) -> model.Verdict:
    """Return a preliminary verdict: wait, unless *next_step* says otherwise."""
    return model.Verdict(
        outcome=model.Outcome.PENDING,
        reason=reason,
        retryable=retryable,
        next_step=next_step,
        flags=tuple(sorted(set(flags))),
        provider_status=status,
        provider_reason=provider_reason,
        provider_time=provider_time,
    )


UNLISTED = "unlisted"


def known_word(word: object, table: Iterable[str]) -> str | None:
    """
    Return *word* if the provider's *table* has it, else ``unlisted``; None stays.

    The only way for a provider's word into a record: free text never passes.
    """
    if word is None:
        return None
    return word if isinstance(word, str) and word in table else UNLISTED


def pending_unrecognised(status: object, table: Iterable[str] = ()) -> model.Verdict:
    """Return what a word, type, case or shape outside the table becomes: pending."""
    return pending(model.Reason.UNRECOGNISED_RESULT, status=known_word(status, table))


class SignedOrder(enum.StrEnum):
    """How a signed verdict stands to the one before it."""

    NEWER = "newer"
    OLDER = "older"
    OLDER_REJECTION = "older_rejection"  #: an approval that is newer stands over it
    SAME = "same"
    CONFLICT = "conflict"  #: a contradicting final that cannot be ordered
    CONFLICT_WINS = "conflict_wins"  #: the same, and by rank the new one stands


_RANK = {
    model.Outcome.PENDING: 0,
    model.Outcome.APPROVED: 1,
    model.Outcome.REJECTED: 2,
}


def order_signed(standing: model.Verdict, new: model.Verdict) -> SignedOrder:
    """
    Order two signed verdicts by (final, timestamp, rejected > approved > pending).

    The order is total, so the greatest of a set stands in whatever order the set
    arrives. What still is equal is ordered by its words. A missing timestamp is read
    as the less favourable one: such a rejection follows every other verdict, and such
    an approval precedes every other final. Two finals that contradict each other and
    have no times to order them by, or the same time, are a conflict.
    """
    newer = _key(new) > _key(standing)
    if new.comparison_key == standing.comparison_key:
        return SignedOrder.SAME
    if not (new.final and standing.final):
        return SignedOrder.NEWER if newer else SignedOrder.OLDER
    if _in_time_order(standing, new):
        if newer:
            return SignedOrder.NEWER
        revoked = (standing.outcome, new.outcome)
        lost = revoked == (model.Outcome.APPROVED, model.Outcome.REJECTED)
        return SignedOrder.OLDER_REJECTION if lost else SignedOrder.OLDER
    return SignedOrder.CONFLICT_WINS if newer else SignedOrder.CONFLICT


def latest_time(standing: model.Verdict, repeat: model.Verdict) -> int | None:
    """Return the time that orders a verdict which was signed twice."""
    return max(standing, repeat, key=_key).provider_time


def _in_time_order(one: model.Verdict, other: model.Verdict) -> bool:
    """Return whether two verdicts have times that differ."""
    times = (one.provider_time, other.provider_time)
    return None not in times and times[0] != times[1]


def _key(verdict: model.Verdict) -> tuple[object, ...]:
    """Order verdicts by finality, time, rank, then whatever words they differ in."""
    said_at: float | None = verdict.provider_time
    if said_at is None:
        rejects = verdict.outcome is model.Outcome.REJECTED
        said_at = math.inf if rejects else -math.inf
    return (
        verdict.final,
        said_at,
        _RANK[verdict.outcome],
        verdict.reason,
        verdict.retryable,
        verdict.next_step,
        verdict.flags,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    The delays between attempts; every wait of the services follows this formula.

    After the n-th failure in a row, counted from one, the delay is

        min(initial_delay_ms * factor ** (n - 1), max_delay_ms) * (1 - jitter * chance)

    *jitter* is the part of a delay, from 0 to 1, that is left to *chance*.
    """

    initial_delay_ms: int = 2_000
    factor: float = 2.0
    max_delay_ms: int = 900_000
    jitter: float = 0.0

    def delay_ms(self, failures: int, chance: float = 0.0) -> int:
        """
        Return the delay after the *failures*-th failure in milliseconds.

        *chance* is a random number from 0 to 1; the longest delay belongs to 0.
        """
        exponent = min(max(failures - 1, 0), 64)
        delay = self.initial_delay_ms * self.factor**exponent
        return int(min(delay, self.max_delay_ms) * (1 - self.jitter * chance))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PollSchedule:
    """The fast polls after a wake-up to which the provider responds "not finished"."""

    initial_delay_ms: int = 5_000
    interval_ms: int = 3_000
    #: number of fast polls before the slow ones
    max_attempts: int = 0

    def delay_ms(self, left: int) -> int:
        """Return the wait before the next one, of which *left* are left."""
        first = left >= self.max_attempts
        return self.initial_delay_ms if first else self.interval_ms


_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourcePolicy:
    """The retry and deadline policy of a source; times in milliseconds."""

    provider: str
    environment: model.Environment
    #: False where the signed callback is the only result and nothing is fetched
    fetches: bool = True
    retry: Backoff = Backoff()
    retry_give_up_after_ms: int = 72 * _HOUR
    #: minimum number of failures before a session is given up
    retry_attempts: int = 5
    not_ready: Backoff = Backoff(max_delay_ms=_MINUTE)
    not_ready_attempts: int = 20
    recheck_pending_ms: tuple[int, ...] = (
        5 * _MINUTE,
        15 * _MINUTE,
        _HOUR,
        6 * _HOUR,
        _DAY,
    )
    recheck_min_interval_ms: int = _MINUTE
    unconfirmed_grace_ms: int = 10 * _MINUTE
    not_found_attempts: int = 5
    not_found_within_ms: int = 15 * _MINUTE
    quarantine_attempts: int = 3
    max_callback_age_ms: int = 7 * _DAY
    #: a signed time that is later than its receipt by more than this is no time
    max_clock_skew_ms: int = 5 * _MINUTE
    session_retention_ms: int = 400 * _DAY
    #: how long a registered session may take
    session_deadline_ms: int = _DAY
    #: count that from the session's own expiry, where that is known
    deadline_after_expiry: bool = False
    polling: PollSchedule = PollSchedule()
    #: polls past the deadline with "not finished" before a session ends
    overdue_attempts: int = 3
    #: False: such a session stays pending
    overdue_rejects: bool = True
    #: how long an overdue session stays open if no result can be fetched
    overdue_retention_ms: int = 30 * _DAY
    #: let callbacks wait until their session is registered, and for how long
    registered_sessions_only: bool = False
    registration_grace_ms: int = 10 * _MINUTE

    def recheck_ms(self, rechecks: int) -> int:
        """Return the wait before the next recheck; the last interval repeats."""
        return self.recheck_pending_ms[min(rechecks, len(self.recheck_pending_ms) - 1)]

    def deadline_ms(self, registered_at: int, expires_at: int | None) -> int:
        """
        Return when a session should have ended that was registered and expires so.

        No session is due to end before it expires, and none later than its identity
        is kept for, whatever a caller says of its expiry.
        """
        if expires_at is None:
            return registered_at + self.session_deadline_ms
        expires_at = min(expires_at, registered_at + self.session_retention_ms)
        if self.deadline_after_expiry:
            return max(expires_at, registered_at) + self.session_deadline_ms
        return max(expires_at, registered_at + self.session_deadline_ms)
