"""Fetches that bring no result: back-off, horizon, not ready, account."""

import pytest

from tests.support import inputs
from worker import errors, ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending

_ANSWERED = [errors.ProviderFault, errors.RateLimited, errors.InvalidResponse]
_UNANSWERED = [errors.ProviderUnreachable, errors.ProviderTimeout]


def _failing(error: type[errors.FetchError], over_ms: int) -> inputs.History:
    """Return a session whose fetches all ended in *error* until *over_ms* had gone."""
    history = inputs.History()
    history.callback()
    begun = history.now
    while history.now - begun < over_ms:
        history.fetch_failing(error)
        if history.state.due_at is None:
            break
    return history


@pytest.mark.parametrize("error", _ANSWERED + _UNANSWERED)
def test_failures_are_retried_with_back_off(error: type[errors.FetchError]) -> None:
    """Failed fetches are retried after growing delays, and decide nothing."""
    history = inputs.History()
    history.callback()
    delays = []
    for _ in range(12):
        effects = history.fetch_failing(error)
        assert inputs.notes(effects) == [ledger.CounterKind.RETRY]
        delays.append((history.state.due_at or 0) - history.now)
    assert [delay / inputs.SECOND for delay in delays] == [
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        512,
        900,
        900,
        900,
    ]
    assert history.decisions == []


def test_retry_after_is_honoured_exactly() -> None:
    """The provider's Retry-After replaces the back-off, shorter or longer."""
    history = inputs.History()
    history.callback()
    history.fetch_failing(errors.RateLimited, retry_after_ms=1_234)
    assert history.now + 1_234 == history.state.due_at
    history.fetch_failing(errors.ProviderFault, retry_after_ms=7 * inputs.HOUR)
    assert history.now + 7 * inputs.HOUR == history.state.due_at


@pytest.mark.parametrize("error", _ANSWERED)
def test_answered_failures_end_at_the_horizon(error: type[errors.FetchError]) -> None:
    """Answered failures past the horizon end in a dead letter and a pending."""
    history = _failing(error, 4 * inputs.DAY)
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.FETCH_EXHAUSTED
    ]
    assert error.reason == history.letters[0].last_error
    assert history.letters[0].at - inputs.START >= history.rules.retry_give_up_after_ms
    assert model.Reason.PROVIDER_UNAVAILABLE is history.latest.verdict.reason
    assert history.latest.observed_at is None
    assert history.state.given_up


def test_the_end_at_the_horizon_is_an_alarm() -> None:
    """A dead letter of exhausted fetches raises the alarm of that name."""
    history = _failing(errors.ProviderFault, 71 * inputs.HOUR)
    effects: list[ledger.Effect] = []
    while history.state.due_at is not None:
        assert not inputs.alarms(effects)
        effects = history.fetch_failing(errors.ProviderFault)
    assert inputs.alarms(effects) == [model.AlarmKind.FETCH_EXHAUSTED]


@pytest.mark.parametrize("error", _UNANSWERED)
def test_unanswered_failures_never_end(error: type[errors.FetchError]) -> None:
    """However long a provider is not reached, the session stays open."""
    history = _failing(error, 30 * inputs.DAY)
    assert history.state.due_at is not None
    assert (history.decisions, history.letters) == ([], [])


def test_the_horizon_alone_ends_nothing() -> None:
    """One answered failure after days of silence is no reason to give up."""
    history = inputs.History()
    history.callback()
    history.fetch_failing(errors.ProviderFault)
    history.wait(30 * inputs.DAY)
    history.fetch_failing(errors.ProviderFault)
    assert history.letters == []
    assert history.state.due_at is not None


def test_attempts_alone_end_nothing() -> None:
    """Any number of failures before the horizon is no reason to give up."""
    history = inputs.History()
    history.callback()
    for _ in range(500):
        history.start()
        history.fail(errors.ProviderFault, retry_after_ms=0)
    assert history.letters == []


def test_a_result_ends_the_count_of_failures() -> None:
    """A result between failures begins their count and their horizon again."""
    history = inputs.decided(P())
    for _ in range(3):
        history.wait(2 * inputs.DAY)
        history.callback()
        for _ in range(history.rules.retry_attempts):
            history.start()
            history.fail(errors.ProviderFault, retry_after_ms=0)
        history.fetch(P())
    assert history.letters == []


def test_an_exhausted_session_keeps_its_final() -> None:
    """What stands as final stays: exhausted fetches over it emit nothing."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback()
    while history.state.due_at is not None:
        history.fetch_failing(errors.ProviderFault)
    assert (len(history.letters), len(history.decisions)) == (1, 1)


def test_not_ready_is_asked_again_soon() -> None:
    """A result that is not ready is asked for again, without a decision."""
    history = inputs.History()
    history.callback()
    delays = []
    for _ in range(8):
        effects = history.fetch_failing(errors.NotReady)
        assert inputs.notes(effects) == [ledger.CounterKind.NOT_READY]
        delays.append((history.state.due_at or 0) - history.now)
    seconds = [delay / inputs.SECOND for delay in delays]
    assert seconds == [2, 4, 8, 16, 32, 60, 60, 60]
    assert history.decisions == []


def test_not_ready_becomes_pending_after_its_attempts() -> None:
    """After its attempts a session that is not ready is pending, and polled."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.not_ready_attempts):
        assert history.decisions == []
        history.fetch_failing(errors.NotReady)
    assert model.Reason.IN_PROGRESS is history.latest.verdict.reason
    assert history.now + history.rules.recheck_ms(0) == history.state.due_at
    assert history.letters == []


def test_not_ready_says_nothing_over_a_verdict() -> None:
    """What the provider said before is not replaced by its not being ready."""
    history = inputs.decided(P())
    for _ in range(history.rules.not_ready_attempts):
        history.fetch_failing(errors.NotReady)
    assert len(history.decisions) == 1
    assert history.state.due_at is not None


def test_not_ready_over_a_final_ends_quietly() -> None:
    """A final stands although a later fetch never became ready."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback()
    for _ in range(history.rules.not_ready_attempts):
        history.fetch_failing(errors.NotReady)
    assert len(history.decisions) == 1
    assert not history.state.open


def test_a_buried_letter_names_the_command_that_redrives_it() -> None:
    """A dead letter says how to run its session again, and when that began."""
    history = _failing(errors.ProviderFault, 4 * inputs.DAY)
    letter = history.letters[0]
    assert letter.redrive == "kyc-worker dlq redrive --source idnow_de --session tx-1"
    assert letter.first_seen_at == inputs.START
    assert history.state.failures == 0


def test_a_refused_account_is_pending_and_an_alarm() -> None:
    """Refused credentials are our fault: pending, an alarm, and tried again."""
    history = inputs.History()
    history.callback()
    effects = history.fetch_failing(errors.ProviderAuthFailed)
    assert inputs.alarms(effects) == [model.AlarmKind.PROVIDER_AUTH_FAILED]
    assert model.Reason.PROVIDER_UNAVAILABLE is history.latest.verdict.reason
    history.fetch_failing(errors.ProviderAuthFailed)
    assert len(history.decisions) == 1
    history.fetch(A())
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_refused_account_changes_no_final() -> None:
    """A final stands whatever becomes of our account."""
    history = inputs.decided(R())
    history.wait(inputs.HOUR)
    history.callback()
    effects = history.fetch_failing(errors.ProviderAuthFailed)
    assert inputs.alarms(effects) == [model.AlarmKind.PROVIDER_AUTH_FAILED]
    assert len(history.decisions) == 1


def test_an_unavailable_provider_keeps_its_last_word() -> None:
    """The pending of an account problem keeps the provider's own last status."""
    history = inputs.decided(P())
    history.fetch_failing(errors.ProviderAuthFailed)
    assert history.latest.verdict.provider_status == "REVIEW_PENDING"
