"""What is logged and counted of the api."""

import io

import orjson
import pytest

from tests.unit.telemetry import kit
from worker import api, clock, http_server
from worker.api import telemetry
from worker.telemetry import labels, log_throttle, logs, metrics


@pytest.mark.parametrize(
    ("report", "event", "level"),
    [
        (
            api.Report(result=labels.ApiResult.STARTED, status=201, source="one"),
            "api.answered",
            "info",
        ),
        (
            api.Report(result=labels.ApiResult.REFUSED, status=422, source="one"),
            "api.refused",
            "warning",
        ),
        (
            api.Report(result=labels.ApiResult.FAILED, status=503, fault="E in m:1"),
            "api.failed",
            "error",
        ),
    ],
)
def test_one_line_a_request(report: api.Report, event: str, level: str) -> None:
    """It is counted, and said in words that the log takes, all of them."""
    out = io.StringIO()
    dropped: list[int] = []
    logs.configure(console=False, on_dropped=dropped.append, stream=out)
    counters = metrics.Metrics(["one"])
    telemetry.ApiTelemetry(
        counters, log_throttle.LogThrottle(clock.SystemClock())
    ).request_finished(report)
    line = orjson.loads(out.getvalue())

    assert (line["event"], line["level"], dropped) == (event, level, [])
    assert (line["result"], line["status"]) == (report.result, report.status)
    at = {"source": report.source, "result": report.result.value}
    assert kit.value(counters, "kyc_api_requests_total", **at) == 1
    name = "kyc_http_request_duration_seconds_count"
    kind = labels.HttpResult.of(report.status).value
    assert kit.value(counters, name, service="api", result=kind) == 1


def test_session_starts_are_counted() -> None:
    """How long the provider took, and what became of the unresolved ones."""
    logs.configure(console=False, stream=io.StringIO())
    counters = metrics.Metrics(["one"])
    lines = log_throttle.LogThrottle(clock.SystemClock())
    observer = telemetry.ApiTelemetry(counters, lines)
    observer.provider_called("one", 0.25)
    observer.recovered("one", "5e55")
    observer.begin_expired("one")
    observer.closed(http_server.CloseReason.UNREAD)

    at = {"source": "one"}
    assert kit.value(counters, "kyc_begin_duration_seconds_sum", **at) == 0.25
    assert kit.value(counters, "kyc_begins_recovered_total", **at) == 1
    assert kit.value(counters, "kyc_begins_expired_total", **at) == 1
    closed = "kyc_http_connections_closed_total"
    assert kit.value(counters, closed, reason="unread") == 1
