"""Which sessions nobody but their callbacks speaks for, and that only those end."""

import dataclasses

import pytest

from tests.support import inputs
from worker import errors, ledger, model

_KNOWN = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)


def _called_back() -> inputs.History:
    history = inputs.History(inputs.FETCHED)
    history.callback()
    return history


@pytest.mark.parametrize(
    ("purged", "kind"),
    [(False, ledger.CounterKind.DROPPED), (True, ledger.CounterKind.PURGED)],
)
def test_an_unanswered_session_is_dropped(
    kind: ledger.CounterKind, *, purged: bool
) -> None:
    """It is forgotten and counted; nothing is decided or buried."""
    history = _called_back()
    effects = history.apply(ledger.Dropped(purged=purged))
    assert effects == [ledger.Count(kind), ledger.UnregisteredExpired()]
    assert history.session is None


def test_a_denied_session_is_still_unanswered() -> None:
    """A denial is no answer: the session may be dropped, in flight as well."""
    history = _called_back()
    history.start()
    assert history.state.unanswered
    history.fail(errors.SessionNotFound)
    assert history.state.unanswered
    assert ledger.UnregisteredExpired() in history.apply(ledger.Dropped())


def test_a_held_wake_up_is_unanswered() -> None:
    """Whoever has the URL can write it."""
    history = inputs.History(_KNOWN)
    history.callback()
    assert history.state.unanswered


@pytest.mark.parametrize("before", ["callback", "registration", "recheck"])
def test_a_session_that_the_company_speaks_for_is_never_dropped(before: str) -> None:
    """Registered or asked for by recheck, before or after its callback."""
    for vouch in (inputs.History.register, inputs.History.recheck):
        history = inputs.History(inputs.FETCHED)
        if before == "callback":
            history.callback()
            vouch(history)
        else:
            vouch(history)
            history.callback()
        assert not history.state.unanswered
        standing = history.state
        assert history.apply(ledger.Dropped(purged=True)) == []
        assert history.state is standing


def test_an_answered_session_is_never_dropped() -> None:
    """What the provider answered for stays, pending as well."""
    history = inputs.decided(inputs.pending(model.Reason.IN_PROGRESS))
    standing = history.state
    assert history.apply(ledger.Dropped()) == []
    assert history.state is standing
