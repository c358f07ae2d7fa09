"""Report why a partition, or the whole consumer, restarts, and who can help."""

from worker import errors, model, settings
from worker.kafka import connectivity, error_mapping
from worker.pipeline import telemetry

_ALL = -1
_ALARMS = {
    errors.PositionLost.reason: model.AlarmKind.POSITION_LOST,
    errors.UnknownVersion.reason: model.AlarmKind.UNKNOWN_VERSION,
    errors.LedgerUnreadable.reason: model.AlarmKind.LEDGER_UNREADABLE,
    errors.RecordTooLarge.reason: model.AlarmKind.RECORD_TOO_LARGE,
    errors.HangingTransaction.reason: model.AlarmKind.HANGING_TRANSACTION,
    errors.TopicMismatch.reason: model.AlarmKind.TOPIC_MISMATCH,
}


def report_partition_failure(
    observer: telemetry.WorkerTelemetry, number: int, failure: errors.TransportError
) -> None:
    """
    Log and count why partition *number* restarts.

    Raises an alarm where an operator must act.
    """
    alarm = _ALARMS.get(failure.reason)
    helps = alarm is not None or isinstance(failure, errors.KafkaUnauthorised)
    observer.partition_failed(number, failure.reason, str(failure) if helps else "")
    if alarm is not None:
        observer.alarm("", alarm)


async def report_consumer_failure(
    observer: telemetry.WorkerTelemetry, kafka: settings.Kafka, error: Exception
) -> bool:
    """
    Log and count why the consumer is rebuilt; a refusal by Kafka in a sentence.

    Returns whether Kafka is the cause: then a new process would do no better.
    """
    if isinstance(error, errors.TopicMismatch):
        report_partition_failure(observer, _ALL, error)
        return True
    failure = error_mapping.map_error("consuming", error, "Read")
    if isinstance(failure, errors.KafkaUnauthorised):
        report_partition_failure(observer, _ALL, failure)
    elif why := await connectivity.diagnose_connection(kafka):
        observer.partition_failed(_ALL, failure.reason, why.message)
    else:
        observer.partition_failed(_ALL, type(error).__name__)
        return False
    return True
