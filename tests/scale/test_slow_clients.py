"""Slow connections cost the callbacks beside them next to nothing."""

from tests.scale import isolation, slow

#: a busy machine stalls now and then: `make slow` measures, this finds a disaster
_SLACK_S = 0.25
_MEMORY = 300 << 20


async def test_slow_connections_refuse_nobody() -> None:
    """Every callback is taken, about as fast as before, and the memory has a bound."""
    found = await slow.measure(connections=1000, callbacks=300)

    assert found.failed == 0
    assert found.rss_most < _MEMORY
    p99 = isolation.quantile(found.disturbed, 0.99)
    assert p99 < 2 * isolation.quantile(found.alone, 0.99) + _SLACK_S
