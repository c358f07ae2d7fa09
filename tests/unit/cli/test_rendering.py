"""What a person is shown of a session."""

import dataclasses

from tests.support import inputs
from worker import model
from worker.cli import rendering


def _lines(history: inputs.History) -> list[str]:
    return list(rendering.session_lines(inputs.KEY, history.session, history.decisions))


def test_a_registered_session_shows_its_whole_way() -> None:
    """Registration, begin, expiry, return and the missing callback stand there."""
    history = inputs.History()
    history.register("order-1", expires_at=history.now + inputs.HOUR)
    history.wait(inputs.MINUTE)
    history.come_back()

    lines = _lines(history)

    assert "  reference    order-1" in lines
    assert (
        "  registered   2025-10-09T08:53:20.000Z, begun as begin-1,"
        " expires 2025-10-09T09:53:20.000Z" in lines
    )
    assert "  returned     2025-10-09T08:54:20.000Z" in lines
    assert "  called back  never" in lines
    assert "  next fetch   2025-10-09T08:54:20.000Z" in lines


def test_what_was_called_back_and_never_registered_shows_nothing_of_it() -> None:
    """A session that only its provider told of has no such lines."""
    text = "\n".join(_lines(inputs.decided(inputs.approved())))

    assert not any(word in text for word in ("registered", "returned", "called back"))


def test_a_session_that_is_held_says_so() -> None:
    """It is plain why nothing is fetched."""
    rules = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)
    history = inputs.History(rules)
    history.callback()

    assert "  not registered: its callback is held" in _lines(history)


def test_an_overdue_session_says_so() -> None:
    """It is plain that its time is over, and how often it was looked at."""
    history = inputs.History()
    history.register()
    history.fetch(inputs.pending(model.Reason.IN_PROGRESS))

    assert "  overdue      past its deadline, looked at 1 times since" in _lines(
        history
    )
