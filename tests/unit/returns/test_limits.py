"""How often one begun session may be woken."""

from worker.returns import limits


def test_each_has_its_own() -> None:
    """The one that has used its own up is refused, and the other is not."""
    limiter = limits.RateLimiter(2)

    assert [limiter.try_acquire(("s", "a"), at) for at in (0, 1, 2)] == [
        True,
        True,
        False,
    ]
    assert limiter.try_acquire(("s", "b"), 3)


def test_what_is_over_is_forgotten() -> None:
    """After a minute it begins anew, also where the clock was set back."""
    limiter = limits.RateLimiter(1)

    spent = [limiter.try_acquire(("s", "a"), at) for at in (0, 59_999, 60_000, 0)]

    assert spent == [True, False, True, True]
    assert len(limiter) == 1


def test_there_are_never_many() -> None:
    """The memory has a bound, whoever comes."""
    limiter = limits.RateLimiter(1)
    for number in range(100_200):
        limiter.try_acquire(("s", str(number)), 0)

    assert len(limiter) == 100_000
