"""What is logged and counted of the api."""

import io

import orjson
import pytest

from worker import api, clock
from worker.api import telemetry
from worker.telemetry import labels, log_throttle, logs, metrics


@pytest.mark.parametrize(
    ("report", "event", "level"),
    [
        (
            api.Report(result=labels.ApiResult.BEGUN, status=201, source="one"),
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
    counted = f'kyc_api_requests_total{{result="{report.result}",source='
    assert counted.encode() in counters.render()
