"""Wake-ups: one fetch in flight, one trailing, never none."""

from tests.support import inputs
from worker import errors, ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending


def test_a_callback_wants_a_fetch_at_once() -> None:
    """The first callback of a session makes a fetch due now and decides nothing."""
    history = inputs.History()
    assert history.callback() == []
    assert history.now == history.state.due_at


def test_a_due_fetch_starts_when_there_is_room() -> None:
    """A due fetch starts once, with the next number of the session's own sequence."""
    history = inputs.History()
    history.callback()
    assert [ledger.Fetch(1)] == history.start()
    assert history.start() == []


def test_nothing_starts_before_it_is_due() -> None:
    """A fetch that is due later does not start now, and nothing changes."""
    history = inputs.decided(P())
    before = history.session
    assert history.start() == []
    assert before is history.session


def test_two_callbacks_before_the_fetch_are_one_wish() -> None:
    """One fetch answers every callback before it; the first one is its cause."""
    history = inputs.History()
    history.callback()
    first = history.state.pending_cause
    history.callback()
    history.fetch(A())
    assert first == history.latest.cause
    assert history.state.due_at is None


def test_a_callback_during_the_flight_is_followed_by_another_fetch() -> None:
    """A fetch in flight does not satisfy a later callback: another one follows it."""
    history = inputs.History()
    history.callback()
    history.start()
    history.wait(1)
    history.callback()
    history.answer(P())
    assert history.now == history.state.due_at
    assert inputs.fetches(history.start())


def test_many_callbacks_during_the_flight_are_followed_by_one_fetch() -> None:
    """However many callbacks come during a flight, one fetch trails."""
    history = inputs.History()
    history.callback()
    history.start()
    for _ in range(3):
        history.callback()
    history.answer(P())
    history.fetch(A())
    assert history.state.due_at is None


def test_a_callback_during_a_failing_flight_is_followed_at_once() -> None:
    """A trailing wake-up does not wait for the back-off of the fetch before it."""
    history = inputs.History()
    history.callback()
    history.start()
    history.callback()
    history.fail(errors.ProviderFault)
    assert history.now == history.state.due_at


def test_a_callback_during_a_hopeless_flight_reopens_at_once() -> None:
    """A flight that ends in a dead letter is still followed by its trailing fetch."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.quarantine_attempts - 1):
        history.fetch_failing(errors.ResultMismatch)
    history.wait_until_due()
    history.start()
    history.callback()
    history.fail(errors.ResultMismatch)
    assert len(history.letters) == 1
    assert history.now == history.state.due_at


def test_a_callback_brings_a_poll_forward() -> None:
    """A callback for a pending session does not wait for the next poll."""
    history = inputs.decided(P())
    history.wait(inputs.SECOND)
    history.callback()
    history.start()
    history.answer(A())
    assert model.CauseType.CALLBACK is history.latest.cause.type


def test_a_callback_brings_a_retry_forward() -> None:
    """A callback during the back-off fetches at once and stays one fetch."""
    history = inputs.History()
    history.callback()
    history.fetch_failing(errors.ProviderTimeout)
    history.callback()
    assert history.now == history.state.due_at
    history.fetch(A())
    assert history.state.due_at is None


def test_a_callback_that_trails_a_poll_is_the_cause() -> None:
    """A decision that a callback asked for names it, though a poll was in flight."""
    history = inputs.decided(P())
    history.wait_until_due()
    history.start()
    history.callback()
    history.fail(errors.ProviderFault)
    history.fetch(A())
    assert model.CauseType.CALLBACK is history.latest.cause.type


def test_a_callback_after_a_final_waits_for_the_interval() -> None:
    """After a final, callbacks are fetched at most once an interval, never dropped."""
    history = inputs.decided(A())
    fetched_at = history.now
    history.wait(inputs.SECOND)
    history.callback()
    history.callback()
    due = fetched_at + history.rules.recheck_min_interval_ms
    assert due == history.state.due_at
    history.fetch(A())
    assert history.state.due_at is None


def test_a_callback_long_after_a_final_is_fetched_at_once() -> None:
    """Once the interval is over, a callback after a final waits for nothing."""
    history = inputs.decided(A())
    history.wait(history.rules.recheck_min_interval_ms)
    history.callback()
    assert history.now == history.state.due_at


def test_a_trailing_callback_after_a_final_waits_for_the_interval() -> None:
    """A callback during the fetch that brought a final is deferred, not dropped."""
    history = inputs.History()
    history.callback()
    history.start()
    started_at = history.now
    history.wait(inputs.SECOND)
    history.callback()
    history.answer(A())
    due = started_at + history.rules.recheck_min_interval_ms
    assert due == history.state.due_at


def test_a_failing_fetch_after_a_final_keeps_the_interval() -> None:
    """A callback during a failing fetch over a final is fetched no sooner."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback()
    history.start()
    history.callback()
    history.fail(errors.ProviderFault)
    wait = history.rules.retry.initial_delay_ms
    assert history.now + wait == history.state.due_at


def test_the_providers_own_event_id_drops_a_repeat() -> None:
    """A repeat under the provider's own event id is counted and not fetched again."""
    history = inputs.History()
    history.callback(provider_event_id="evt-1")
    history.fetch(A())
    history.wait(inputs.HOUR)
    repeat = history.callback(provider_event_id="evt-1")
    assert inputs.notes(repeat) == [ledger.CounterKind.REPEATED]
    assert history.state.due_at is None


def test_nothing_else_drops_a_repeat() -> None:
    """The same body again, without an event id of the provider's, is fetched again."""
    history = inputs.History()
    history.callback(digest="a" * 64)
    history.fetch(A())
    history.wait(inputs.HOUR)
    history.callback(digest="a" * 64)
    assert history.now == history.state.due_at


def test_a_repeat_reopens_a_dead_lettered_session() -> None:
    """A dead-lettered session reopens on any wake-up, a repeated one too."""
    history = inputs.History()
    history.callback(provider_event_id="evt-1")
    for _ in range(history.rules.quarantine_attempts):
        history.fetch_failing(errors.ResultMismatch)
    assert history.state.given_up
    history.callback(provider_event_id="evt-1")
    history.fetch(A())
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_session_remembers_only_so_many_events() -> None:
    """The memory of past deliveries is bounded; the oldest are forgotten first."""
    history = inputs.History()
    for number in range(40):
        history.callback(provider_event_id=f"evt-{number}")
    kept = tuple(f"evt-{number}" for number in range(24, 40))
    assert kept == history.state.seen_delivery_ids


def test_an_answer_of_another_fetch_is_too_late() -> None:
    """What a fetch brings that is no longer in flight changes nothing."""
    history = inputs.History()
    history.callback()
    history.start()
    history.crash()
    history.start()
    before = history.session
    late = history.apply(ledger.FetchSucceeded(1, inputs.result(A())))
    failed = ledger.FetchFailed(1, inputs.failure(errors.SessionNotFound))
    assert (late, history.apply(failed)) == ([], [])
    assert before is history.session


def test_a_wake_up_that_changes_nothing_is_not_written() -> None:
    """The fetch that is wanted already answers it: the session stays the same one."""
    history = inputs.History()
    history.callback()
    before = history.session
    history.wait(1)
    history.callback()
    assert before is history.session
