"""The one rate limiter: a burst, an even rate, keys of their own, bounded memory."""

import hypothesis
import pytest
from hypothesis import strategies as st

from worker import rate_limiter

_MINUTE_MS = 60_000


def test_each_key_has_its_own_limit() -> None:
    """A key that has used up its limit is refused, and another one is not."""
    limiter = rate_limiter.RateLimiter(2)

    found = [limiter.try_acquire(at, "a") for at in (0, 1, 2)]

    assert found == [True, True, False]
    assert limiter.try_acquire(3, "b")


@pytest.mark.parametrize("limit", [1, 2, 7, 10, 2000])
def test_the_whole_limit_is_there_again_after_the_window(limit: int) -> None:
    """As many as *limit* at once, not one more, and all of them a minute later."""
    limiter = rate_limiter.RateLimiter(limit)

    for now_ms in (5, 5 + _MINUTE_MS):
        found = [limiter.try_acquire(now_ms) for _ in range(limit + 1)]
        assert found == [True] * limit + [False]


def test_a_clock_that_was_set_back_refuses_nobody() -> None:
    """What was counted later than now is forgotten."""
    limiter = rate_limiter.RateLimiter(1)

    found = [limiter.try_acquire(at, "a") for at in (0, 59_999, 60_000, 0)]

    assert found == [True, False, True, True]
    assert len(limiter) == 1


def test_a_key_that_has_its_whole_limit_is_forgotten() -> None:
    """Memory follows the keys that are in use."""
    limiter = rate_limiter.RateLimiter(1)
    for number in range(1000):
        limiter.try_acquire(0, number)

    limiter.try_acquire(_MINUTE_MS, "a")

    assert len(limiter) == 1


def test_the_number_of_keys_is_bounded() -> None:
    """Past the bound the least recently used key is forgotten."""
    limiter = rate_limiter.RateLimiter(1)
    for number in range(100_200):
        limiter.try_acquire(0, number)

    assert len(limiter) == 100_000
    assert limiter.try_acquire(1, 0)
    assert not limiter.try_acquire(1, 100_199)


@hypothesis.given(
    st.integers(1, 20), st.lists(st.integers(0, 5_000), min_size=1, max_size=80)
)
def test_no_window_has_more_than_twice_the_limit(limit: int, waits: list[int]) -> None:
    """In any window of the period at most the burst and one refill are allowed."""
    limiter, now_ms, allowed = rate_limiter.RateLimiter(limit, 10_000), 0, []
    for wait in waits:
        now_ms += wait
        if limiter.try_acquire(now_ms):
            allowed.append(now_ms)

    for begin in allowed:
        within = [at for at in allowed if begin <= at < begin + 10_000]
        assert len(within) <= 2 * limit
