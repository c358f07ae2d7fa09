"""How often something may happen in a minute."""

from worker.ingress import limits


def test_budget() -> None:
    """The limit holds in any minute, not in each."""
    budget = limits.RateLimiter(2)

    spent = [budget.try_acquire(at_ms) for at_ms in (0, 30_000, 59_999, 60_000, 89_999)]

    assert spent == [True, True, False, True, False]


def test_clock_set_back() -> None:
    """A clock that was set back does not close the budget until it has caught up."""
    budget = limits.RateLimiter(1)

    assert [budget.try_acquire(at_ms) for at_ms in (3_600_000, 0)] == [True, True]
