"""Say in one sentence why Kafka refuses us, and which setting or right to change."""

import asyncio
import re
import ssl

from aiokafka import errors as theirs

#: whom the broker takes us for; never the name itself
_USER = "this process's user (kafka.sasl_username or kafka.ssl_certfile)"
_SEE = "grant it; docs/operations/acls.md lists the permissions of each user"
_CHAIN_MAX = 8
_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_LAST_NUMBER = re.compile(r"[0-9]+$", re.ASCII)

# OpenSSL's numbers, x509_vfy.h, seen 2026-11-21.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})
_AUTHORITY = (
    "the broker's certificate is signed by no authority we know: set kafka.ssl_cafile"
    " to the one that signed it"
)
_CLOSED = (
    "something answers and closes the connection: kafka.security_protocol is not that"
    " of the port, or what listens there is no Kafka"
)


def missing_right(error: BaseException | None, operation: str) -> str | None:
    """
    Return a sentence if *error*, or what caused it, is a right that we do not have.

    *operation* is the one that was under way (``Read``, ``Write``), for what Kafka
    does not say itself.
    """
    for each in chain(error):
        if (right := _right(each, operation)) is not None:
            return f"Kafka denies {_USER} the right {right}: {_SEE}"
    return None


def no_rights(operations: str, topics: list[str]) -> str:
    """Return the sentence for *operations* that are missing on *topics*."""
    right = f"{operations} on topic {', '.join(sorted(topics))}"
    return f"Kafka denies {_USER} the right {right}: {_SEE}"


def _right(error: BaseException, operation: str) -> str | None:
    match error:
        case theirs.TopicAuthorizationFailedError():
            return f"{operation} on topic {_names(error)}"
        case theirs.GroupAuthorizationFailedError():
            return f"Read on group {_names(error)}"
        case theirs.TransactionalIdAuthorizationFailed():
            # One right, and one sentence, for the ids of all partitions.
            return f"Write on transactional id {_LAST_NUMBER.sub('*', _names(error))}"
        case theirs.ClusterAuthorizationFailedError():
            # What an idempotent producer hears whose user may write no topic at all.
            return f"{operation} on any topic"
        case _:
            return None


def _names(error: BaseException) -> str:
    """Return the resources that *error* names, if it names any; never anything else."""
    details = error.args[0] if error.args else ()
    listed = details if isinstance(details, set | tuple | list) else (details,)
    names = [each for each in listed if isinstance(each, str) and _NAME.fullmatch(each)]
    return ", ".join(sorted(names)) or "(Kafka names none)"


def connection(error: BaseException) -> str:
    """Return why a connection to a broker failed of *error*, and what to do."""
    for each in chain(error):
        if (sentence := _security(each)) is not None:
            return sentence
    for each in chain(error):
        if (sentence := _network(each)) is not None:
            return sentence
    return "the connection fails: see reason"


def is_security(error: BaseException) -> bool:
    """Return whether *error* is a refusal, which waiting alone does not mend."""
    return any(_security(each) is not None for each in chain(error))


def _security(error: BaseException) -> str | None:
    match error:
        case theirs.SaslAuthenticationFailed():
            return (
                "the broker refuses our user or its password: check"
                " kafka.sasl_username and kafka.sasl_password"
            )
        case theirs.UnsupportedSaslMechanismError():
            return (
                "the broker does not offer our SASL mechanism: set"
                " kafka.sasl_mechanism to one of its own"
            )
        case ssl.SSLCertVerificationError():
            return _certificate(error.verify_code)
        case ssl.SSLError() if "ALERT" in str(getattr(error, "reason", "")):
            # TLS 1.3 reports it only after the handshake, seen 2026-11-21.
            return (
                "the broker refuses our certificate, or that we have none: check"
                " kafka.ssl_certfile, and whether it has expired"
            )
        case ssl.SSLError():
            return "TLS fails: check whether kafka.security_protocol is the port's"
        case _:
            return None


def _certificate(code: int) -> str:
    """Return what is wrong with the broker's certificate, by OpenSSL's *code*."""
    if code == _EXPIRED:
        return "the broker's certificate has expired: renew it on the broker"
    if code == _NOT_YET_VALID:
        return "the broker's certificate is not valid yet: check it, and our clock"
    if code in _OTHER_NAME:
        return (
            "the broker's certificate is for another name: put the one of"
            " kafka.bootstrap_servers into it"
        )
    if code in _UNKNOWN_AUTHORITY:
        return _AUTHORITY
    return f"the broker's certificate is not accepted (OpenSSL says {code}): renew it"


def _network(error: BaseException) -> str | None:
    match error:
        case TimeoutError():
            return "no answer in time: check the broker, and the network on the way"
        case ConnectionRefusedError():
            return (
                "nothing listens there: check kafka.bootstrap_servers, and the broker"
            )
        case asyncio.IncompleteReadError() | ConnectionResetError():
            return _CLOSED
        case theirs.NoBrokersAvailable():
            return "the cluster answers and has no broker that is ready yet"
        case OSError():
            return "there is no way there: check kafka.bootstrap_servers"
        case _:
            return None


def chain(error: BaseException | None) -> list[BaseException]:
    """Return *error* and what caused it, itself first."""
    found: list[BaseException] = []
    while error is not None and len(found) < _CHAIN_MAX:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
