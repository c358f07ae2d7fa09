"""What is logged and counted of the callbacks and of the returns."""

import asyncio
import io

import orjson
import pytest

from tests.support import clock
from worker import errors, ingress, returns
from worker.ingress import telemetry
from worker.returns import telemetry as returns_telemetry
from worker.telemetry import labels, log_throttle, logs, metrics


def _events(out: io.StringIO) -> list[str]:
    return [orjson.loads(line)["event"] for line in out.getvalue().splitlines()]


async def test_refusals_are_counted_and_not_all_written() -> None:
    """Whoever comes at any rate writes a few lines; what is accepted has one each."""
    out = io.StringIO()
    logs.configure(console=False, stream=out)
    counters = metrics.Metrics(["one"])
    lines = log_throttle.LogThrottle(clock.ManualClock())
    observer = telemetry.IngressTelemetry(counters, lines)
    refused = ingress.Report(
        result=ingress.Result.NOT_AUTHENTIC,
        status=401,
        source="one",
        cause=errors.AuthCause.WRONG_TOKEN,
    )
    accepted = ingress.Report(result=ingress.Result.ACCEPTED, status=200, source="one")
    for _ in range(500):
        observer.request_finished(refused)
        observer.request_finished(accepted)
    await asyncio.sleep(0)
    lines.report()

    events = _events(out)
    assert events.count("callback.accepted") == 500
    assert events.count("callback.refused") == 20
    assert events.count("log.held_back") == 1
    told = b'kyc_callbacks_total{result="not_authentic",source="one"} 500.0'
    assert told in counters.render()


@pytest.mark.parametrize(
    ("result", "event"),
    [
        (labels.ReturnResult.TAKEN, "return.accepted"),
        (labels.ReturnResult.UNAVAILABLE, "return.accepted"),
        (labels.ReturnResult.REFUSED, "return.refused"),
        (labels.ReturnResult.LIMITED, "return.refused"),
        (labels.ReturnResult.FOREIGN_ORIGIN, "return.refused"),
    ],
)
def test_returns(result: labels.ReturnResult, event: str) -> None:
    """What is refused is said to be, also where there was no ticket to have a cause."""
    out = io.StringIO()
    logs.configure(console=False, stream=out)
    lines = log_throttle.LogThrottle(clock.ManualClock())
    observer = returns_telemetry.ReturnTelemetry(metrics.Metrics(["one"]), lines)
    for _ in range(30):
        observer.request_finished(
            returns.ReturnReport(
                way=labels.ReturnEndpoint.RETURN, result=result, status=404
            )
        )

    assert _events(out) == [event] * (20 if event == "return.refused" else 30)
