"""What is logged and counted of the callbacks and of the returns."""

import asyncio
import io

import orjson
import prometheus_client
import pytest

from tests.support import clock
from tests.unit.telemetry import kit
from worker import errors, ingress, model, returns
from worker.ingress import telemetry
from worker.returns import telemetry as returns_telemetry
from worker.telemetry import labels, log_throttle, logs, metrics


def _events(out: io.StringIO) -> list[str]:
    return [orjson.loads(line)["event"] for line in out.getvalue().splitlines()]


def _requests(counters: metrics.Metrics, service: str, result: str) -> float | None:
    name = "kyc_http_request_duration_seconds_count"
    return kit.value(counters, name, service=service, result=result)


async def test_everything_known_of_a_callback_is_counted() -> None:
    """Result, cause, secret, duration, acknowledgement and dead letter."""
    logs.configure(console=False, stream=io.StringIO())
    counters = metrics.Metrics(["one"])
    lines = log_throttle.LogThrottle(clock.ManualClock())
    telemetry.IngressTelemetry(counters, lines).request_finished(
        ingress.Report(
            result=ingress.Result.UNMAPPABLE,
            status=422,
            source="one",
            cause=errors.AuthCause.WRONG_TOKEN,
            matches=(telemetry.Match(labels.Authenticator.BASIC, 7),),
            duration_s=0.25,
            publish_s=0.125,
            dead_letter=model.DeadLetterReason.UNMAPPABLE,
        )
    )
    await asyncio.sleep(0)

    at = {"source": "one"}
    for name, more in (
        ("kyc_callbacks_total", {"result": "unmappable"}),
        ("kyc_verification_failures_total", {"cause": "wrong_token"}),
        ("kyc_dead_letters_total", {"reason": "unmappable"}),
        (
            "kyc_secrets_matched_total",
            {"authenticator": "basic", "position": "later"},
        ),
    ):
        assert kit.value(counters, name, **at, **more) == 1, name
    assert kit.value(counters, "kyc_produce_duration_seconds_sum") == 0.125
    name = "kyc_http_request_duration_seconds_sum"
    at = {"service": "ingress", "result": "client_error"}
    assert kit.value(counters, name, **at) == 0.25


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
    found = b'kyc_callbacks_total{result="not_authentic",source="one"} 500.0'
    assert found in prometheus_client.generate_latest(counters.scrape())


@pytest.mark.parametrize(
    ("result", "event"),
    [
        (labels.ReturnResult.ACCEPTED, "return.accepted"),
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
    counters = metrics.Metrics(["one"])
    observer = returns_telemetry.ReturnTelemetry(counters, lines)
    for _ in range(30):
        observer.request_finished(
            returns.ReturnReport(
                endpoint=labels.ReturnEndpoint.RETURN, result=result, status=404
            )
        )

    assert _events(out) == [event] * (20 if event == "return.refused" else 30)
    at = {"source": "unknown", "endpoint": "return", "result": result.value}
    assert kit.value(counters, "kyc_returns_total", **at) == 30
    assert _requests(counters, "returns", "client_error") == 30
