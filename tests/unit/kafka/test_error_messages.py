"""Each way to be refused by Kafka is one sentence that names what to change."""

import asyncio
import ssl

import pytest
from aiokafka import errors as theirs

from worker.kafka import error_messages


@pytest.mark.parametrize(
    ("error", "right"),
    [
        (theirs.TopicAuthorizationFailedError("kyc.dlq"), "Write on topic kyc.dlq"),
        (
            theirs.TopicAuthorizationFailedError({"kyc.ledger", "kyc.dlq"}),
            "Write on topic kyc.dlq, kyc.ledger",
        ),
        (theirs.GroupAuthorizationFailedError("kyc.worker"), "Read on group kyc.wor"),
        (
            theirs.TransactionalIdAuthorizationFailed("kyc.ledger.17"),
            "Write on transactional id kyc.ledger.*:",
        ),
        (theirs.ClusterAuthorizationFailedError(), "Write on any topic"),
    ],
)
def test_a_missing_right_names_right_and_resource(
    error: BaseException, right: str
) -> None:
    """Also where it is only the cause of what was raised."""
    consequence = theirs.KafkaError("something else")
    consequence.__cause__ = error

    assert f"the right {right}" in (error_messages.missing_right(error, "Write") or "")
    assert error_messages.missing_right(error, "Write") == error_messages.missing_right(
        consequence, "Write"
    )


@pytest.mark.parametrize("found", ["a key: one:session", ("a b", 1, None), 7, None])
def test_only_names_of_resources_are_repeated(found: object) -> None:
    """Whatever else an error holds is not for the log."""
    error = theirs.TopicAuthorizationFailedError(found)

    assert "Kafka names none" in (error_messages.missing_right(error, "Read") or "")


def test_what_is_no_missing_right_is_none() -> None:
    """An outage is not a refusal."""
    assert error_messages.missing_right(theirs.NodeNotReadyError(), "Read") is None
    assert error_messages.missing_right(None, "Read") is None


def _invalid(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "planted")
    error.verify_code = code
    return error


def _alert() -> ssl.SSLError:
    error = ssl.SSLError(1, "planted")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    return error


_REFUSALS = [
    (theirs.SaslAuthenticationFailed("planted"), "kafka.sasl_password"),
    (theirs.UnsupportedSaslMechanismError("planted"), "kafka.sasl_mechanism"),
    (_invalid(9), "not valid yet"),
    (_invalid(10), "has expired"),
    (_invalid(20), "kafka.ssl_cafile"),
    (_invalid(62), "another name"),
    (_invalid(26), "OpenSSL says 26"),
    (_alert(), "kafka.ssl_certfile"),
    (ssl.SSLError(1, "planted"), "kafka.security_protocol"),
]
_OUTAGES = [
    (TimeoutError("planted"), "no answer in time"),
    (ConnectionRefusedError("planted"), "nothing listens there"),
    (asyncio.IncompleteReadError(b"planted", 4), "kafka.security_protocol"),
    (OSError("planted"), "kafka.bootstrap_servers"),
    (theirs.NoBrokersAvailable("planted"), "no broker that is ready"),
    (AssertionError("planted"), "see reason"),
]


@pytest.mark.parametrize(("error", "part"), [*_REFUSALS, *_OUTAGES])
def test_a_failed_connection_says_what_to_change(
    error: BaseException, part: str
) -> None:
    """And nothing of what the error says itself."""
    consequence = theirs.KafkaConnectionError("planted")
    consequence.__cause__ = error

    for each in (error, consequence):
        sentence = error_messages.connection(each)
        assert part in sentence
        assert "planted" not in sentence


def test_a_refusal_tells_more_than_an_outage() -> None:
    """Of several brokers the one that refuses us is spoken of."""
    refused = [error_messages.is_security(error) for error, _ in _REFUSALS]
    away = [error_messages.is_security(error) for error, _ in _OUTAGES]

    assert (refused, away) == ([True] * len(_REFUSALS), [False] * len(_OUTAGES))
