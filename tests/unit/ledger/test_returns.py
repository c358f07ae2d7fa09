"""Returns and fast polls: whom they wake, how often, and what is written of them."""

import dataclasses

from tests.support import inputs
from worker import errors, ledger, model, policy

A, P = inputs.approved, inputs.pending
_PROGRESS = P(model.Reason.IN_PROGRESS)
_POLLED = dataclasses.replace(
    inputs.FETCHED, polling=policy.PollSchedule(max_attempts=15)
)


def _steps(effects: list[ledger.Effect]) -> list[ledger.Milestone]:
    return [
        effect.step for effect in effects if isinstance(effect, ledger.MilestoneReached)
    ]


def _returned(rules: policy.SourcePolicy = _POLLED) -> inputs.History:
    history = inputs.History(rules)
    history.register()
    history.come_back()
    return history


def test_a_return_wakes_its_session() -> None:
    """The fetch is due at once, and its decision says what caused it."""
    history = inputs.History()
    history.register()
    history.wait(inputs.MINUTE)
    assert _steps(history.come_back()) == [ledger.Milestone.RETURNED]
    assert history.state.returned_at == history.now
    assert inputs.fetches(history.start())
    history.answer(A())
    assert history.latest.cause.type is model.CauseType.RETURN
    assert history.latest.cause.event_id is not None
    assert history.latest.cause.received_at is None


def test_a_return_of_another_begin_is_ignored() -> None:
    """Only the intent that began the session wakes it, and never none."""
    history = inputs.History()
    history.register(begin_id="begin-1")
    before = history.state
    for begin_id in ("begin-2", None):
        effects = history.come_back(begin_id)
        assert inputs.notes(effects) == [ledger.CounterKind.RETURN_IGNORED]
        assert history.state is before


def test_a_return_to_a_session_without_a_begin_is_ignored() -> None:
    """Where the company began it itself there is nothing to compare with."""
    history = inputs.History()
    history.register(begin_id=None)
    assert inputs.notes(history.come_back(None)) == [ledger.CounterKind.RETURN_IGNORED]


def test_a_return_to_a_session_that_nobody_knows_is_ignored() -> None:
    """It makes no session: a browser says so."""
    history = inputs.History()
    assert inputs.notes(history.come_back()) == [ledger.CounterKind.RETURN_IGNORED]
    assert history.session is None


def test_a_return_after_a_final_asks_for_nothing() -> None:
    """The provider's final has answered it already."""
    history = inputs.History()
    history.register()
    history.callback()
    history.fetch(A())
    assert _steps(history.come_back()) == [ledger.Milestone.RETURNED]
    assert not history.state.open


def test_a_return_during_a_fetch_that_brings_the_final_is_answered() -> None:
    """The final that comes meanwhile answers it; a callback would be followed up."""
    history = inputs.History()
    history.register()
    history.callback()
    history.start()
    history.come_back()
    assert history.state.queued_cause is not None
    history.answer(A())
    assert not history.state.open


def test_a_callback_after_a_return_during_a_fetch_is_followed_up() -> None:
    """The callback's wake-up is not lost behind the return's."""
    history = inputs.History()
    history.register()
    history.callback()
    history.start()
    history.come_back()
    history.callback()
    history.answer(A())
    assert history.state.pending_cause is not None
    assert history.state.pending_cause.type is model.CauseType.CALLBACK


def test_a_thousand_hints_are_one_flight_and_one_trailing() -> None:
    """A browser that repeats itself costs a fetch a minute, and no record."""
    history = _returned(inputs.FETCHED)
    assert inputs.fetches(history.start())
    history.come_back()
    trailing = history.state
    for _ in range(1_000):
        history.come_back()
        assert history.state is trailing
        assert not inputs.fetches(history.start())
    history.answer(P())
    started = history.state.last_fetch_at
    assert started is not None
    fetches = 0
    for _ in range(600):
        history.wait(inputs.SECOND)
        history.come_back()
        if inputs.fetches(history.start()):
            fetches += 1
            history.answer(P())
    assert fetches == 10


def test_a_hint_before_a_fetch_that_is_due_anyway_is_no_change() -> None:
    """What is wanted already starts after it: there is nothing to write."""
    history = _returned(inputs.FETCHED)
    history.fetch(P())
    history.wait(inputs.SECOND)
    history.come_back()
    before = history.state
    history.wait(inputs.SECOND)
    history.come_back()
    assert history.state is before


def test_hints_do_not_begin_the_fast_polls_again() -> None:
    """The first return starts them; the others wait for the next one."""
    history = _returned()
    for _ in range(40):
        history.fetch_failing(errors.NotReady)
        history.come_back()
    assert history.state.polls_left == 0


def test_fast_polls_follow_a_return() -> None:
    """5 s, then every 3 s, fifteen in all, and then slower."""
    history = _returned()
    history.start()
    waits = []
    for _ in range(18):
        history.answer(_PROGRESS)
        assert history.state.due_at is not None
        waits.append(history.state.due_at - history.now)
        history.wait_until_due()
        history.start()
    slow = history.rules.recheck_pending_ms[:3]
    assert waits == [5_000, *[3_000] * 14, *slow]


def test_fast_polls_follow_a_callback_that_came_too_early() -> None:
    """An ended session without its parts is asked for at the same pace."""
    history = inputs.History(_POLLED)
    history.callback()
    history.start()
    waits = []
    for _ in range(17):
        history.fail(errors.NotReady)
        assert history.state.due_at is not None
        waits.append(history.state.due_at - history.now)
        history.wait_until_due()
        history.start()
    assert waits == [5_000, *[3_000] * 14, 60_000, 60_000]


def test_no_fast_poll_follows_a_review() -> None:
    """What takes hours is not asked for every three seconds."""
    history = _returned()
    history.fetch(P())
    due = history.state.due_at
    assert due == history.now + history.rules.recheck_pending_ms[0]


def test_a_fast_poll_is_not_written() -> None:
    """What a crash loses of it is done again: the state from before it is due."""
    history = _returned()
    history.fetch(_PROGRESS)
    written = history.state
    for _ in range(14):
        history.wait_until_due()
        assert ledger.SkipPersist() in history.start()
        assert history.answer(_PROGRESS) == [ledger.SkipPersist()]
        assert written.due_at is not None
        assert written.due_at <= history.now
    history.wait_until_due()
    history.start()
    assert history.answer(_PROGRESS) == []


def test_a_poll_that_brings_something_is_written() -> None:
    """A decision, or a reference, is never left unwritten."""
    history = _returned()
    history.fetch(_PROGRESS)
    history.wait_until_due()
    history.start()
    effects = history.answer(_PROGRESS, reference="order-1")
    assert effects == [ledger.SkipPersist()]
    history.wait_until_due()
    history.start()
    assert ledger.SkipPersist() not in history.answer(A())


def test_a_slow_answer_is_written() -> None:
    """A wait of a minute is worth a record; one of seconds is not."""
    history = inputs.History()
    history.callback()
    history.start()
    written = []
    for _ in range(8):
        effects = history.fail(errors.NotReady)
        written.append(ledger.SkipPersist() not in effects)
        history.wait_until_due()
        history.start()
    assert written == [False] * 4 + [True] * 4
