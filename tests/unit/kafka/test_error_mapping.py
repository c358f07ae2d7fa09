"""What aiokafka and the broker say becomes one of our errors, whatever it is."""

import pytest
from aiokafka import errors as theirs

from worker import errors
from worker.kafka import error_mapping


def _subclasses(kind: type[BaseException]) -> list[type[BaseException]]:
    found = [kind]
    for each in kind.__subclasses__():
        found += _subclasses(each)
    return found


_FENCED = {
    theirs.ProducerFenced,
    theirs.InvalidProducerEpoch,
    theirs.InvalidProducerIdMapping,
}
_DENIED = {
    theirs.TopicAuthorizationFailedError,
    theirs.GroupAuthorizationFailedError,
    theirs.TransactionalIdAuthorizationFailed,
    theirs.ClusterAuthorizationFailedError,
}
_TOO_LARGE = {theirs.MessageSizeTooLargeError, theirs.RecordListTooLargeError}
_ALL = _subclasses(theirs.KafkaError)


@pytest.mark.parametrize("kind", [*_ALL, TimeoutError, AssertionError, OSError])
def test_every_error_of_a_commit_has_a_meaning(kind: type[Exception]) -> None:
    """An epoch, a right, a size: it is lost; all else is a commit in doubt."""
    expected: type[errors.TransportError] = errors.CommitInDoubt
    if kind in _FENCED:
        expected = errors.OwnershipLost
    if kind in _DENIED:
        expected = errors.KafkaUnauthorised
    if kind in _TOO_LARGE:
        expected = errors.RecordTooLarge

    assert expected is type(error_mapping.map_commit_error(kind(), None))
    assert expected is type(error_mapping.map_commit_error(theirs.KafkaError(), kind()))


@pytest.mark.parametrize("kind", [*_ALL, TimeoutError, AssertionError, OSError])
def test_everywhere_else_kafka_is_unavailable(kind: type[Exception]) -> None:
    """The message names the step and the class, or a right; never what it says."""
    with (
        pytest.raises(errors.KafkaUnavailable) as raised,
        error_mapping.as_unavailable("reading"),
    ):
        raise kind("planted: one:session-id")

    denied = isinstance(raised.value, errors.KafkaUnauthorised)
    assert (kind in _DENIED) is denied
    assert ("Kafka denies" if denied else "reading: ") in str(raised.value)
    assert "planted" not in str(raised.value)
    assert isinstance(raised.value.__cause__, kind)


def test_our_own_errors_pass() -> None:
    """A mismatch is not an outage."""
    with (
        pytest.raises(errors.TopicMismatch),
        error_mapping.as_unavailable("checking"),
    ):
        raise errors.TopicMismatch(["differs"])


def test_what_the_sender_died_of_is_the_cause() -> None:
    """The error that its callers see is only a consequence."""
    seen = theirs.IllegalOperation("not in a transaction")
    died = theirs.KafkaError("Unexpected error during batch delivery")
    died.__cause__ = theirs.InvalidProducerEpoch()

    assert isinstance(error_mapping.map_commit_error(seen, died), errors.OwnershipLost)
    assert isinstance(error_mapping.map_commit_error(seen, None), errors.CommitInDoubt)


def test_a_chain_without_end_has_an_end() -> None:
    """Errors that name each other as their cause are looked through once."""
    one, other = theirs.KafkaError("one"), theirs.KafkaError("other")
    one.__cause__, other.__cause__ = other, one

    assert not error_mapping.is_fenced(one)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (47, theirs.InvalidProducerEpoch),
        (90, theirs.InvalidProducerEpoch),
        (120, error_mapping.TransactionAbortable),
    ],
)
def test_codes_of_newer_brokers_are_known(
    code: int, kind: type[theirs.BrokerResponseError]
) -> None:
    """Aiokafka would call 90 and 120 unknown, and lose the number."""
    assert kind is theirs.for_code(code)
    assert not kind.retriable
