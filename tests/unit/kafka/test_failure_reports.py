"""What made a partition start again is told with what a person can do about it."""

import pytest

from worker import clock as clocks
from worker import errors, model, settings
from worker.kafka import failure_reports
from worker.pipeline import telemetry
from worker.telemetry import metrics


class _Telemetry(telemetry.WorkerTelemetry):
    def __init__(self) -> None:
        super().__init__(metrics.Metrics([]), clocks.SystemClock())
        self.failed: list[tuple[int, str, str]] = []
        self.alarms: list[model.AlarmKind] = []

    def partition_failed(self, number: int, reason: str, message: str = "") -> None:
        """Keep it."""
        self.failed.append((number, reason, message))

    def alarm(self, source: str, kind: model.AlarmKind) -> None:
        """Keep it."""
        assert source == ""
        self.alarms.append(kind)


@pytest.mark.parametrize(
    ("failure", "message", "alarms"),
    [
        (errors.CommitInDoubt("no answer in time"), "", []),
        (errors.OwnershipLost("fenced"), "", []),
        (errors.KafkaUnauthorised("Kafka denies"), "Kafka denies", []),
        (
            errors.TopicMismatch(["a differs.", "b differs."]),
            "a differs.\nb differs.",
            [model.AlarmKind.TOPIC_MISMATCH],
        ),
        (errors.RecordTooLarge("big"), "big", [model.AlarmKind.RECORD_TOO_LARGE]),
        (errors.PositionLost("gap"), "gap", [model.AlarmKind.POSITION_LOST]),
    ],
)
def test_what_a_person_can_help_with_is_said_and_what_must_be_is_an_alarm(
    failure: errors.TransportError, message: str, alarms: list[model.AlarmKind]
) -> None:
    """An ordinary failure is a word for the metric."""
    observer = _Telemetry()

    failure_reports.report_partition_failure(observer, 3, failure)

    assert [(3, failure.reason, message)] == observer.failed
    assert alarms == observer.alarms


async def test_a_missing_topic_is_told_of_the_whole_consumer() -> None:
    """Nobody asks the brokers why: they have answered."""
    observer = _Telemetry()
    nowhere = settings.Kafka(bootstrap_servers="127.0.0.1:1")

    await failure_reports.report_consumer_failure(
        observer, nowhere, errors.TopicMismatch(["gone."])
    )

    assert observer.failed == [(-1, "topic_mismatch", "gone.")]
    assert observer.alarms == [model.AlarmKind.TOPIC_MISMATCH]
