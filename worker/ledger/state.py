"""Hold one session's whole state, as the ledger topic keeps it."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from worker import model

#: What a fetch is asked for by: a poll gives way, and then a browser's return.
_WEIGHT = dict.fromkeys(model.CauseType, 2) | {
    model.CauseType.POLL: 0,
    model.CauseType.RETURN: 1,
}
#: How many marks of past deliveries a session remembers.
SEEN_MAX = 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A fetch that has started; at most one a session."""

    seq: int
    started_at: int
    cause: model.Cause


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """A callback's own word, which holds only if the provider denies the session."""

    verdict: model.Verdict
    since: int
    cause: model.Cause


class Session(NamedTuple):
    """
    One session's whole state; times in milliseconds, UTC.

    A tuple, since each turn makes some: a frozen dataclass takes four times as long.
    An ended session is this same record with everything about fetching at its
    default: the stub that a late callback continues from.
    """

    provider_session_id: str
    first_seen_at: int
    updated_at: int
    reference: str | None = None
    #: the number of decisions emitted so far
    revision: int = 0
    #: the verdict of the last decision; its ``provider_time`` orders signed ones
    current_verdict: model.Verdict | None = None
    #: when the provider said it
    observed_at: int | None = None
    #: when the next fetch may start; None where nothing is to be fetched
    due_at: int | None = None
    #: what the fetch that is due will answer
    pending_cause: model.Cause | None = None
    flight: Flight | None = None
    #: a wake-up that came during the flight, which the flight cannot satisfy
    queued_cause: model.Cause | None = None
    #: fetches started so far: the order of fetched verdicts
    fetch_seq: int = 0
    last_fetch_at: int | None = None
    #: the fetch that is wanted or in flight is answered only by what the provider was
    #: asked after this; None where that is when it starts
    fresh_since: int | None = None
    #: attempts to map an answer since one was mapped
    mapping_attempts: int = 0
    failures: int = 0
    failing_since: int | None = None
    not_ready: int = 0
    denials: int = 0
    denied_since: int | None = None
    rechecks: int = 0
    #: marks of deliveries that act once: provider's event ids, digests
    seen_delivery_ids: tuple[str, ...] = ()
    unconfirmed: Unconfirmed | None = None
    #: denials of fetches that started after that came
    confirmations: int = 0
    hint: model.Outcome | None = None
    #: when the company said that it began this session, and by which intent
    registered_at: int | None = None
    begin_id: str | None = None
    #: when the provider lets it end, as far as that is known
    expires_at: int | None = None
    #: when the person first came back from the provider
    returned_at: int | None = None
    #: no callback has come yet
    awaiting_callback: bool = False
    #: fast polls that are left since the last wake-up
    polls_left: int = 0
    #: polls past the deadline that the provider answered with "not finished"
    overdue: int = 0
    #: what stands is our own word: it did not end in time
    expired_by_us: bool = False
    #: the callback that waits for this session to be registered; until it is, what
    #: stands has been said to nobody
    unregistered_cause: model.Cause | None = None
    #: a verdict came with another's reference, and none with the right one since then
    doubted: bool = False
    #: fields of a newer release, kept as they came
    extra: Mapping[str, Any] = types.MappingProxyType({})

    @property
    def open(self) -> bool:
        """Return whether anything is still to be done."""
        return self.due_at is not None or self.flight is not None

    @property
    def registered(self) -> bool:
        """Return whether the company said that it began this session."""
        return self.registered_at is not None

    @property
    def unanswered(self) -> bool:
        """
        Return whether nobody but its callbacks speaks for an open session.

        The provider never answered for it, the company neither registered it nor asked
        for it by ``recheck``: it may be real, or invented by whoever has the URL.
        """
        if self.current_verdict is not None or self.registered_at is not None:
            return False
        flight = self.flight
        if self.awaiting_callback or (self.due_at is None and flight is None):
            return False
        flying = None if flight is None else flight.cause
        for cause in (self.pending_cause, self.queued_cause, flying):
            if cause is not None and cause.type is model.CauseType.RECHECK:
                return False
        return True

    @property
    def given_up(self) -> bool:
        """Return whether its fetches ended in a dead letter, and nothing is due."""
        return self.fetch_seq > 0 and not self.open and not self.final

    @property
    def final(self) -> bool:
        """Return whether what stands is final."""
        return self.current_verdict is not None and self.current_verdict.final


_PLACES = {name: place for place, name in enumerate(Session._fields)}


def changed(session: Session, **changes: Any) -> Session:  # noqa: ANN401 -- fields
    """
    Return *session* with *changes*; raises KeyError for what is no field.

    As ``_replace``, which takes twice as long.
    """
    values = list(session)
    for name, value in changes.items():
        values[_PLACES[name]] = value
    return Session._make(values)


def after_restart(session: Session) -> Session:
    """
    Return *session* as a new owner finds it: what was in flight is wanted again.

    The trailing wake-up is satisfied by the same fetch, which starts after both.
    """
    if session.flight is None:
        return session
    return changed(
        session,
        flight=None,
        queued_cause=None,
        pending_cause=merge_causes(session.flight.cause, session.queued_cause),
        due_at=session.flight.started_at,
        fresh_since=session.fresh_since if session.queued_cause is None else None,
    )


def merge_causes(
    cause: model.Cause | None, later: model.Cause | None
) -> model.Cause | None:
    """Return whose fetch it is that both ask for: the first's, but rather no poll's."""
    if cause is None or later is None:
        return cause or later
    return later if _WEIGHT[later.type] > _WEIGHT[cause.type] else cause
