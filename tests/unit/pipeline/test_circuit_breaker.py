"""The circuit breaker, by its arithmetic."""

from worker.pipeline import circuit_breaker


def _tripped() -> circuit_breaker.CircuitBreaker:
    breaker = circuit_breaker.CircuitBreaker(failure_threshold=2, open_for_ms=1_000)
    breaker.fail(5_000)
    assert breaker.wait_ms(5_000) == 0
    breaker.fail(5_000)
    return breaker


def test_an_open_circuit_says_how_long() -> None:
    """An open circuit tells what is left of its time, to the millisecond."""
    breaker = _tripped()
    waits = [breaker.wait_ms(now) for now in (5_000, 5_400, 5_999, 6_000)]
    assert waits == [1_000, 600, 1, 0]


def test_one_probe_at_a_time() -> None:
    """While a probe is out nothing else goes, for as long as that takes."""
    breaker = _tripped()
    breaker.start()
    assert breaker.wait_ms(6_000) is None
    breaker.abandon()
    assert breaker.wait_ms(6_000) == 0


def test_a_clock_that_goes_back_does_not_keep_it_open() -> None:
    """A circuit that opened in what is the future now is half open."""
    assert _tripped().wait_ms(4_999) == 0
