"""Results that should never be: a few attempts, then a dead letter."""

import pytest

from tests.support import inputs
from worker import errors, ledger, model

A, P = inputs.approved, inputs.pending

_HOPELESS = [errors.ResultMismatch, errors.BadResultSignature, errors.MappingCrashed]


@pytest.mark.parametrize("error", _HOPELESS)
def test_what_should_never_happen_is_buried(error: type[errors.FetchError]) -> None:
    """A wrong, unsigned or unmappable result is tried K times and then buried."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.quarantine_attempts - 1):
        history.fetch_failing(error)
        assert history.letters == []
        assert history.state.due_at is not None
    effects = history.fetch_failing(error)
    assert [model.AlarmKind(error.reason)] == inputs.alarms(effects)
    assert [error.reason] == [letter.reason for letter in history.letters]
    assert history.rules.quarantine_attempts == history.letters[0].attempts
    assert model.Reason.UNRECOGNISED_RESULT is history.latest.verdict.reason
    assert history.state.given_up


def test_every_burying_error_has_a_letter_of_its_name() -> None:
    """Each error that ends in a dead letter has a reason there by the same word."""
    burying = [
        error
        for error in errors.FetchError.__subclasses__()
        if error.disposition is errors.Disposition.DEAD_LETTER
    ]
    letters = {model.DeadLetterReason(error.reason) for error in burying}
    assert len(_HOPELESS) == len(letters)


def test_a_dead_letter_reopens_on_a_callback() -> None:
    """A dead-lettered session is fetched again on its next callback."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.quarantine_attempts):
        history.fetch_failing(errors.MappingCrashed)
    history.wait(inputs.DAY)
    history.callback()
    history.fetch(A())
    assert [decision.revision for decision in history.decisions] == [1, 2]


def test_a_dead_letter_reopens_on_a_recheck() -> None:
    """A dead-lettered session is fetched again on a recheck, as a redrive does."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.quarantine_attempts):
        history.fetch_failing(errors.MappingCrashed)
    history.recheck()
    history.fetch(A())
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_attempts_are_counted_before_the_mapping() -> None:
    """A result that never comes back from its mapping is quarantined after K tries."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.quarantine_attempts):
        history.start()
        assert history.apply(ledger.InterpretStarting(history.state.fetch_seq)) == []
        history.crash()
    history.start()
    effects = history.apply(ledger.InterpretStarting(history.state.fetch_seq))
    assert inputs.alarms(effects) == [model.AlarmKind.QUARANTINED]
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.QUARANTINED
    ]
    assert not history.flying


def test_an_attempt_is_counted_once() -> None:
    """A mapping that raises was counted already where the attempt was written first."""
    history = inputs.History()
    history.callback()
    for attempt in range(1, history.rules.quarantine_attempts + 1):
        history.wait_until_due()
        history.start()
        history.apply(ledger.InterpretStarting(history.state.fetch_seq))
        assert attempt == history.state.mapping_attempts
        failure = inputs.failure(errors.MappingCrashed)
        history.apply(
            ledger.FetchFailed(history.state.fetch_seq, failure, counted=True)
        )
    assert history.rules.quarantine_attempts == history.letters[0].attempts


def test_a_mapped_result_ends_the_count_of_attempts() -> None:
    """Attempts count in a row: a result that was mapped clears them."""
    history = inputs.History()
    history.callback()
    for _ in range(2 * history.rules.quarantine_attempts):
        history.wait_until_due()
        history.start()
        history.apply(ledger.InterpretStarting(history.state.fetch_seq))
        history.answer(P())
    assert history.letters == []
