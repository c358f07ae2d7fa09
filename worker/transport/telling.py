"""Tell why a partition, or the whole consumer, starts again, and who can help."""

from worker import errors, model, settings
from worker.transport import failures, reaching, roles

_ALL = -1
_ALARMS = {
    errors.PositionLost.reason: model.AlarmKind.POSITION_LOST,
    errors.UnknownVersion.reason: model.AlarmKind.UNKNOWN_VERSION,
    errors.LedgerUnreadable.reason: model.AlarmKind.LEDGER_UNREADABLE,
    errors.RecordTooLarge.reason: model.AlarmKind.RECORD_TOO_LARGE,
    errors.TransactionHangs.reason: model.AlarmKind.TRANSACTION_HANGS,
    errors.TopicMismatch.reason: model.AlarmKind.TOPIC_MISMATCH,
}


def partition(watch: roles.Watch, number: int, failure: errors.TransportError) -> None:
    """Tell *watch* why partition *number* starts again, and a person if it must."""
    alarm = _ALARMS.get(failure.reason)
    helps = alarm is not None or isinstance(failure, errors.KafkaUnauthorised)
    watch.partition_failed(number, failure.reason, str(failure) if helps else "")
    if alarm is not None:
        watch.alarmed("", alarm)


async def consumer(watch: roles.Watch, kafka: settings.Kafka, error: Exception) -> bool:
    """
    Log and count why the consumer is built again; a refusal in a sentence.

    Returns whether Kafka is the cause: then a new process would do no better.
    """
    if isinstance(error, errors.TopicMismatch):
        partition(watch, _ALL, error)
        return True
    failure = failures.unavailable("consuming", error, "Read")
    if isinstance(failure, errors.KafkaUnauthorised):
        partition(watch, _ALL, failure)
    elif why := await reaching.why_unreachable(kafka):
        watch.partition_failed(_ALL, failure.reason, why.message)
    else:
        watch.partition_failed(_ALL, type(error).__name__)
        return False
    return True
