"""Slow connections cost the callbacks beside them next to nothing."""

from tests.scale import slow
from worker import http_server

#: a busy machine stalls now and then: `make slow` measures, this finds a disaster
_SLACK_S = 0.5
_MEMORY = 300 << 20


async def test_slow_connections_refuse_nobody() -> None:
    """Every callback is taken, about as fast as beside none, and memory has a bound."""
    plan = slow.Plan(connections=1000, callbacks=250, max_connections=400)

    found = await slow.measure(plan)

    report = "\n".join(slow.lines(found))
    assert found.failures == [], report
    assert found.rss_most < _MEMORY, report
    # Else it was not slow connections that were measured.
    assert found.counted["connections"] == plan.max_connections, report
    assert found.counted[http_server.CloseReason.CROWDED_OUT.value] > 0, report
    assert slow.p99(found.attacked) < 2 * slow.p99(found.beside) + _SLACK_S, report
