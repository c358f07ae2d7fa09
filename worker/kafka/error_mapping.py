"""Say in our errors what aiokafka and the broker say in theirs."""

import contextlib
from collections.abc import Iterator

from aiokafka import errors as theirs

from worker import errors
from worker.kafka import error_messages


class TransactionAbortable(theirs.BrokerResponseError):  # type: ignore[misc] # -- aiokafka ships no types
    """Kafka's code 120: the transaction can only be aborted."""

    errno = 120
    message = "TRANSACTION_ABORTABLE"
    description = "The transaction cannot be committed any more."


# aiokafka 0.14 knows the codes up to 72 and 79, and makes UnknownError of others,
# which loses the code. Kafka 4.3 may answer 90, PRODUCER_FENCED, where older ones
# say 47 to an outdated epoch: the same thing.
theirs.kafka_errors[90] = theirs.InvalidProducerEpoch
theirs.kafka_errors[120] = TransactionAbortable

_FENCED = (
    theirs.ProducerFenced,
    theirs.InvalidProducerEpoch,
    # The transactional id belongs to another producer id, or has expired.
    theirs.InvalidProducerIdMapping,
)
#: What aiokafka raises: it asserts where an answer surprises it ("did we not
#: bootstrap?").
THEIRS = (
    theirs.KafkaError,
    theirs.IllegalOperation,
    AssertionError,
    TimeoutError,
    OSError,
)
_TOO_LARGE = (theirs.MessageSizeTooLargeError, theirs.RecordListTooLargeError)


@contextlib.contextmanager
def as_unavailable(what: str, operation: str = "Read") -> Iterator[None]:
    """
    Raise errors.KafkaUnavailable for whatever Kafka or its client fails of inside.

    *what* names the step, for the message; *operation* is the right on topics that
    it needs. Our own errors pass.
    """
    try:
        yield
    except THEIRS as error:
        raise map_error(what, error, operation) from error


def map_error(
    what: str, error: BaseException, operation: str
) -> errors.KafkaUnavailable:
    """Return what *error* is for us, a missing right among it; ours as they are."""
    if isinstance(error, errors.KafkaUnavailable):
        return error
    if sentence := error_messages.missing_right(error, operation):
        return errors.KafkaUnauthorised(sentence)
    return errors.KafkaUnavailable(f"{what}: {error_name(error)}")


def map_commit_error(
    error: Exception, sender_died_of: BaseException | None
) -> errors.TransportError:
    """
    Return what *error*, raised between begin and the end of a commit, means for us.

    A fatal error ends aiokafka's sender, and what its callers see then is often
    only a consequence: *sender_died_of* is the cause. Without a right nothing is in
    doubt: a transaction that a topic was not added to is never committed, nor is one
    with a record that a topic refuses for its size.
    """
    for each in (error, sender_died_of):
        if is_fenced(each):
            return errors.OwnershipLost("another producer has taken the partition")
        if sentence := error_messages.missing_right(each, "Write"):
            return errors.KafkaUnauthorised(sentence)
        if isinstance(each, _TOO_LARGE):
            return errors.RecordTooLarge(
                f"{error_name(each)}: a topic's max.message.bytes is below"
                " kafka.max_message_bytes; run `kyc-worker topics --check`"
            )
    return errors.CommitInDoubt(error_name(sender_died_of or error))


def is_fenced(error: BaseException | None) -> bool:
    """Tell whether *error*, or what caused it, is an outdated producer epoch."""
    return any(isinstance(each, _FENCED) for each in error_messages.chain(error))


def error_name(error: BaseException) -> str:
    """
    Return the class of *error* and of what caused it, for people who look for why.

    Never the message: aiokafka's may hold record keys and broker answers.
    """
    if isinstance(error, TimeoutError):
        return "no answer in time"
    cause = error.__cause__
    name = type(error).__name__
    return f"{name} ({type(cause).__name__})" if cause else name
