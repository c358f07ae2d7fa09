"""Name what goes wrong with Kafka."""

from worker.errors import base


class TransportError(base.KycError):
    """Kafka; never raised itself."""

    reason = "transport"


class KafkaUnavailable(TransportError):
    """No acknowledgement in time; what was sent may still be written."""

    reason = "kafka_unavailable"
    disposition = base.Disposition.RETRY_LATER


class KafkaUnauthorised(KafkaUnavailable):
    """The broker denies our user a right; the message is a sentence that names it."""

    reason = "kafka_unauthorised"


class OwnershipLost(TransportError):
    """Another owner has fenced this partition, or may have."""

    reason = "ownership_lost"


class CommitInDoubt(TransportError):
    """The outcome of a commit is not known: only a restore can tell."""

    reason = "commit_in_doubt"


class ProducerRetired(TransportError):
    """
    An EndTxn request of this producer was not answered, and was sent again.

    The first copy may arrive late and end whatever transaction is open then: the
    producer is replaced before it begins another one. Nothing was sent.
    """

    reason = "producer_retired"


class HangingTransaction(TransportError):
    """
    A transaction of the partition's earlier owner is over, and a topic does not know.

    Its records are hidden from every reader of committed ones, and the next
    transaction's end would show or drop them: nothing may be written before an
    operator has ended it.
    """

    reason = "hanging_transaction"


class PositionLost(TransportError):
    """The position has fallen out of the topic's retention."""

    reason = "position_lost"
    disposition = base.Disposition.REFUSE


class TopicMismatch(TransportError):
    """A topic differs from what is configured; *problems* says how, and what to do."""

    reason = "topic_mismatch"
    disposition = base.Disposition.REFUSE

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownVersion(TransportError):
    """A record of a version this release does not know: not ready, never lost."""

    reason = "unknown_version"
    disposition = base.Disposition.REFUSE


class LedgerUnreadable(TransportError):
    """A record of the ledger is none of ours, or cannot be decoded: not gone past."""

    reason = "ledger_unreadable"
    disposition = base.Disposition.REFUSE


class RecordTooLarge(TransportError):
    """A record is over our bound, or over what a topic takes: nothing is written."""

    reason = "record_too_large"
