"""Name why the ingress refuses a callback."""

import enum

from worker.errors import base


class CallbackError(base.KycError):
    """A callback is refused; never raised itself."""

    reason = "callback"
    disposition = base.Disposition.REFUSE


class AuthCause(enum.StrEnum):
    """Why a callback is not authentic; for the log and the metric only."""

    MISSING_SIGNATURE = "missing_signature"
    REPEATED_SIGNATURE = "repeated_signature"
    MALFORMED_SIGNATURE = "malformed_signature"
    WRONG_SIGNATURE = "wrong_signature"
    MISSING_TIMESTAMP = "missing_timestamp"
    STALE_TIMESTAMP = "stale_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"
    MISSING_TOKEN = "missing_token"  # noqa: S105 -- a word, no secret
    WRONG_TOKEN = "wrong_token"  # noqa: S105 -- a word, no secret
    MISSING_BODY_KEY = "missing_body_key"
    WRONG_BODY_KEY = "wrong_body_key"
    MISSING_BASIC = "missing_basic"
    WRONG_BASIC = "wrong_basic"
    ADDRESS = "address"


class AuthenticationError(CallbackError):
    """The callback is not authentic; *cause* must not reach the caller."""

    reason = "not_authentic"

    def __init__(self, cause: AuthCause) -> None:
        super().__init__("not authentic")
        self.cause = cause


class MalformedBody(CallbackError):
    """The body is not one JSON object."""

    reason = "malformed_body"


class UnmappableCallback(CallbackError):
    """
    An authentic object that our table cannot map to a session.

    *known_keys* are the key names of the provider's table that were there,
    *other_keys* the number of others: no value ever leaves. *acknowledge* is
    true where the provider is to be answered 200 all the same (an unknown type
    of a source whose callbacks are verdicts).
    """

    reason = "unmappable"

    def __init__(
        self,
        known_keys: tuple[str, ...] = (),
        other_keys: int = 0,
        *,
        acknowledge: bool = False,
    ) -> None:
        super().__init__("unmappable callback")
        self.known_keys = known_keys
        self.other_keys = other_keys
        self.acknowledge = acknowledge


class TicketCause(enum.StrEnum):
    """Why a ticket is not honoured; for the log and the metric only."""

    MALFORMED = "malformed"
    ALTERED = "altered"
    EXPIRED = "expired"
    OTHER_SOURCE = "other_source"


class InvalidTicket(CallbackError):
    """A ticket that we did not make, made for another source, or long ago."""

    reason = "ticket_refused"

    def __init__(self, cause: TicketCause) -> None:
        super().__init__("ticket refused")
        self.cause = cause
