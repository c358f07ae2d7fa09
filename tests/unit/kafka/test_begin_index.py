"""What stands of a begin, by the order of its records."""

import dataclasses

import pytest

from worker import model
from worker.kafka import begin_index

_WINDOW_MS = 24 * 3_600_000
_KEY = "identomat:b1"
_NOW = 1_795_255_810_000

Records = list[tuple[model.Intent | None, int]]


def _intent(attempt: str) -> model.Intent:
    return model.Intent(
        source="identomat",
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id="b1",
        attempt_id=attempt,
        reference="customer-1",
        begun_at=_NOW,
    )


A, B = _intent("a"), _intent("b")
A_DONE = A.registered(_NOW + 1, session_id="s1", provider_session_id="S1")
B_DONE = B.registered(_NOW + 1, session_id="s2", provider_session_id="S2")
A_FAILED = A.failed(_NOW + 1)


def _view(*records: model.Intent | int | None) -> begin_index.BeginIndex:
    """Return the view after *records*; a number lets so many milliseconds pass."""
    view = begin_index.BeginIndex(window_ms=_WINDOW_MS)
    now = _NOW
    for each in records:
        if isinstance(each, int):
            now += each
        else:
            view.take(_KEY, each, now)
    return view


def _current(view: begin_index.BeginIndex) -> tuple[model.Intent | None, bool]:
    held = view.get(_KEY)
    return (None, False) if held is None else (held.intent, held.superseded)


@pytest.mark.parametrize(
    ("records", "stands", "shadowed"),
    [
        ([A], A, False),
        # Of two at once the first one counts, however each of them ends.
        ([A, B], A, True),
        ([A, B, A_DONE], A_DONE, False),
        ([A, A_DONE, B], A_DONE, True),
        ([A, A_DONE, B, A_DONE], A_DONE, False),
        # A failed one frees the key, for those that come after its end.
        ([A, A_FAILED, B], B, False),
        ([A, B, A_FAILED], A_FAILED, False),
        ([A, A_FAILED, B, A_FAILED], B, True),
        # What was found out later is better than what was believed.
        ([A, A_FAILED, A_DONE], A_DONE, False),
        ([A, A_DONE, A_FAILED], A_DONE, True),
        ([A, A_DONE, A], A_DONE, True),
        # The key counts for a day.
        ([A, A_DONE, _WINDOW_MS - 1, B], A_DONE, True),
        ([A, A_DONE, _WINDOW_MS, B], B, False),
        ([A, A_DONE, _WINDOW_MS, B, A_DONE], B, True),
        ([A, _WINDOW_MS, B], A, True),
        # Compaction has dropped the winner's first record.
        ([B, A_DONE], A_DONE, False),
        ([A_DONE], A_DONE, False),
        # A tombstone forgets what has ended, and nothing that was begun anew.
        ([A, A_DONE, None], None, False),
        ([None], None, False),
        ([A, A_DONE, _WINDOW_MS, B, None], B, True),
    ],
)
def test_the_order_of_the_records_decides(
    records: list[model.Intent | int | None],
    stands: model.Intent | None,
    *,
    shadowed: bool,
) -> None:
    """Every replica that has read the same records holds the same to stand."""
    assert (stands, shadowed) == _current(_view(*records))


def test_what_hides_another_is_found() -> None:
    """What compaction would lose is listed until its record is the last again."""
    view = _view(A, A_DONE, B)

    assert view.shadowed() == [A_DONE]
    view.take(_KEY, A_DONE, _NOW)
    assert view.shadowed() == []


def test_open_and_old_ones_are_listed() -> None:
    """Those without an end are listed, and those that came before a time."""
    assert list(_view(A, B).open()) == [A]
    assert list(_view(A, A_DONE).open()) == []
    assert _view(A, A_DONE).older(_NOW + 1) == [A_DONE]
    assert _view(A, A_DONE).older(_NOW) == []


def test_a_record_is_seen_whoever_wins() -> None:
    """A loser learns that its own record was taken, and so all before it."""
    view = _view(A, B)

    assert view.saw(A)
    assert view.saw(B)
    assert not view.saw(_intent("c"))


def test_a_thousand_repeats_cost_no_memory() -> None:
    """Only the last few attempts are remembered as seen."""
    attempts = [_intent(str(number)) for number in range(1000)]
    view = _view(A, *attempts)
    held = view.get(_KEY)

    assert held is not None
    assert len(held.seen) == 16
    assert view.saw(attempts[-1])
    assert len(view) == 1


def test_forgetting() -> None:
    """What is forgotten is as if it had never been."""
    view = _view(A, A_DONE)
    view.forget(_KEY)
    view.take(_KEY, dataclasses.replace(B), _NOW)

    assert _current(view) == (B, False)
