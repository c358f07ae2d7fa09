"""Name the labels of each metric, in order; a ``str`` is the name of a source."""

from typing import NamedTuple

from worker import errors, http_server, ledger, model
from worker.telemetry import labels


class NoLabels(NamedTuple):
    """One series."""


class Source(NamedTuple):
    """By source."""

    source: str


class Callback(NamedTuple):
    """By source and result of a callback."""

    source: str
    result: labels.CallbackResult


class VerificationFailure(NamedTuple):
    """By source and cause."""

    source: str
    cause: errors.AuthCause


class SecretMatch(NamedTuple):
    """By source, authenticator and position of the secret."""

    source: str
    authenticator: labels.Authenticator
    position: labels.SecretPosition


class Return(NamedTuple):
    """By source, endpoint and result of a return."""

    source: str
    endpoint: labels.ReturnEndpoint
    result: labels.ReturnResult


class ApiRequest(NamedTuple):
    """By source and result of a request to the api."""

    source: str
    result: labels.ApiResult


class HttpRequest(NamedTuple):
    """By service and class of the response."""

    service: labels.Service
    result: labels.HttpResult


class Service(NamedTuple):
    """By service."""

    service: labels.Service


class ClosedConnection(NamedTuple):
    """By reason."""

    reason: http_server.CloseReason


class Fetch(NamedTuple):
    """By source and result of a fetch."""

    source: str
    result: labels.FetchResult


class SessionEvent(NamedTuple):
    """By source and kind of event."""

    source: str
    kind: ledger.CounterKind


class SessionMilestone(NamedTuple):
    """By source and milestone."""

    source: str
    milestone: ledger.Milestone


class Decision(NamedTuple):
    """By source, outcome, and whether it is final."""

    source: str
    outcome: model.Outcome
    final: labels.Final


class DeadLetter(NamedTuple):
    """By source and reason."""

    source: str
    reason: model.DeadLetterReason


class PartitionFailure(NamedTuple):
    """By reason."""

    reason: labels.PartitionFailure


class Alarm(NamedTuple):
    """By source and kind of alarm."""

    source: str
    kind: model.AlarmKind


class Certificate(NamedTuple):
    """By certificate."""

    certificate: labels.Certificate
