"""How many bytes all bodies may take, and which of them makes room."""

import asyncio

import pytest

from worker.http_server import body_budget

_EACH = 8 << 10
_LIMIT = 20 * _EACH


def _reading(
    of: body_budget.BodyBudget, size: int, *, known: bool = False
) -> body_budget.Body:
    body = of.open(known=known)
    with_head = body.__enter__()
    with_head.count(size - _EACH)
    return body


def test_the_slowest_makes_room() -> None:
    """Past the half for strangers the one that began first is given up."""
    of = body_budget.BodyBudget(_LIMIT)
    slow, later = _reading(of, 4 * _EACH), _reading(of, 4 * _EACH)

    new = _reading(of, 4 * _EACH)

    assert [slow.evicted, later.evicted, new.evicted] == [True, False, False]
    assert of.held_bytes == 8 * _EACH


def test_who_has_shown_a_secret_goes_last() -> None:
    """Strangers make room for them, even the later ones; never the other way."""
    of = body_budget.BodyBudget(_LIMIT)
    known = _reading(of, 12 * _EACH, known=True)
    stranger = _reading(of, 8 * _EACH)

    more = _reading(of, 4 * _EACH, known=True)

    assert [known.evicted, stranger.evicted, more.evicted] == [False, True, False]


def test_what_is_whole_is_never_given_up() -> None:
    """Where nothing can make room the new one is refused."""
    of = body_budget.BodyBudget(_LIMIT)
    whole = _reading(of, 18 * _EACH, known=True)
    whole.complete()
    with pytest.raises(body_budget.BodyEvicted):
        _reading(of, 4 * _EACH, known=True)

    assert (whole.evicted, of.held_bytes) == (False, 18 * _EACH)


def test_one_that_is_too_large_for_all_is_refused() -> None:
    """It cannot make room for itself."""
    of = body_budget.BodyBudget(_LIMIT)
    with of.open(known=False) as body, pytest.raises(body_budget.BodyEvicted):
        body.count(_LIMIT)

    assert of.held_bytes == 0


def test_every_request_costs_something() -> None:
    """Bodies of nothing are bounded in number."""
    of = body_budget.BodyBudget(_LIMIT)
    reading = [of.open(known=False) for _ in range(30)]
    for body in reading:
        body.__enter__()

    assert [body.evicted for body in reading] == [True] * 20 + [False] * 10


def test_all_is_given_back() -> None:
    """After the answer nothing is held."""
    of = body_budget.BodyBudget(_LIMIT)
    with of.open(known=True) as body:
        body.count(1000)
        body.complete()
        assert of.held_bytes == _EACH + 1000

    assert of.held_bytes == 0


async def test_one_whose_time_is_over_can_go() -> None:
    """Its own time and the need for room may come in one turn of the loop."""
    body = _reading(body_budget.BodyBudget(_LIMIT), 2 * _EACH)
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))

    with pytest.raises(TimeoutError):  # noqa: PT012 -- it is entered, and waits
        async with asyncio.timeout(0) as deadline:
            body.ends_at(deadline)
            loop.call_soon(body.evict)
            await asyncio.Event().wait()

    assert (failures, body.evicted) == ([], True)
