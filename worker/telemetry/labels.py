"""List the values that labels of metrics may have: closed, and the project's own."""

import enum

#: The value of ``source`` for whatever names no configured source.
UNKNOWN_SOURCE = "unknown"


class Service(enum.StrEnum):
    """Which service responds to a request."""

    INGRESS = "ingress"
    RETURNS = "returns"
    API = "api"


class HttpResult(enum.StrEnum):
    """The class of a response's status."""

    SUCCESS = "success"  #: 1xx to 3xx
    CLIENT_ERROR = "client_error"  #: 4xx
    SERVER_ERROR = "server_error"  #: 5xx

    @classmethod
    def of(cls, status: int) -> "HttpResult":
        """Return the label of *status*."""
        return _BY_CLASS.get(status // 100, cls.SUCCESS)


_BY_CLASS = {4: HttpResult.CLIENT_ERROR, 5: HttpResult.SERVER_ERROR}


class CallbackResult(enum.StrEnum):
    """How a request at the webhook endpoint ended."""

    ACCEPTED = "accepted"
    FORWARDED = "forwarded"
    IGNORED = "ignored"
    ACKNOWLEDGED = "acknowledged"
    PINGED = "pinged"  #: a provider checks whether the URL responds
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    ENCODED = "encoded"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    MALFORMED_REQUEST = "malformed_request"
    MALFORMED_BODY = "malformed_body"
    NOT_AUTHENTIC = "not_authentic"
    UNMAPPABLE = "unmappable"
    UNDELIVERED = "undelivered"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"  #: more than the source's ``callback_rate_limit``
    FAILED = "failed"


class ApiResult(enum.StrEnum):
    """How a request to the api, or to the command ``begin``, ended."""

    STARTED = "started"
    REGISTERED = "registered"
    REPEATED = "repeated"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_FAILED = "provider_failed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_AUTHENTIC = "not_authentic"
    FORBIDDEN = "forbidden"
    TOO_LARGE = "too_large"
    ENCODED = "encoded"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    MALFORMED_REQUEST = "malformed_request"
    MALFORMED_BODY = "malformed_body"
    UNAVAILABLE = "unavailable"
    OVERLOADED = "overloaded"
    FAILED = "failed"


class ReturnEndpoint(enum.StrEnum):
    """The endpoint to which an end user's browser returned."""

    RETURN = "return"
    FINISHED = "finished"


class ReturnResult(enum.StrEnum):
    """How a request at a return endpoint ended."""

    ACCEPTED = "accepted"
    UNRESOLVED = "unresolved"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    FOREIGN_ORIGIN = "foreign_origin"
    PREFLIGHT = "preflight"
    LIMITED = "limited"


class Authenticator(enum.StrEnum):
    """What a secret was used for; the values of ``authenticate``."""

    HMAC_BODY = "hmac_body"
    STANDARD_WEBHOOKS = "standard_webhooks"
    SIGNED_URL = "signed_url"
    BODY_KEY = "body_key"
    BASIC = "basic"
    IP_ALLOW = "ip_allow"


class SecretPosition(enum.StrEnum):
    """Which entry of a list of secrets matched; 0 is the one that we use ourselves."""

    FIRST = "0"
    SECOND = "1"
    THIRD = "2"
    LATER = "later"

    @classmethod
    def of(cls, position: int) -> "SecretPosition":
        """Return the label of the entry at *position*, counted from zero."""
        positions = (cls.FIRST, cls.SECOND, cls.THIRD)
        return positions[position] if 0 <= position < len(positions) else cls.LATER


class FetchResult(enum.StrEnum):
    """How a fetch ended: with a result, or with a FetchError's reason."""

    SUCCESS = "success"
    FETCH_FAILED = "fetch_failed"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    PROVIDER_FAULT = "provider_fault"
    RATE_LIMITED = "rate_limited"
    BAD_ANSWER = "bad_answer"
    ACCOUNT_REFUSED = "account_refused"
    NO_SUCH_SESSION = "no_such_session"
    NOT_READY = "not_ready"
    RESULT_MISMATCH = "result_mismatch"
    BAD_RESULT_SIGNATURE = "bad_result_signature"
    QUARANTINED = "quarantined"


class PartitionFailure(enum.StrEnum):
    """Why a partition restarts: the reason of a TransportError."""

    TRANSPORT = "transport"
    KAFKA_UNAVAILABLE = "kafka_unavailable"
    KAFKA_UNAUTHORISED = "kafka_unauthorised"
    OWNERSHIP_LOST = "ownership_lost"
    COMMIT_IN_DOUBT = "commit_in_doubt"
    PRODUCER_RETIRED = "producer_retired"
    POSITION_LOST = "position_lost"
    TOPIC_MISMATCH = "topic_mismatch"
    UNKNOWN_VERSION = "unknown_version"
    LEDGER_UNREADABLE = "ledger_unreadable"
    RECORD_TOO_LARGE = "record_too_large"
    HANGING_TRANSACTION = "hanging_transaction"
    OTHER = "other"  #: an unexpected exception of ours

    @classmethod
    def of(cls, reason: str) -> "PartitionFailure":
        """Return the label of *reason*, ``other`` where it is none of ours."""
        return cls(reason) if reason in list(cls) else cls.OTHER


class Certificate(enum.StrEnum):
    """A certificate that the configuration names."""

    KAFKA_CLIENT = "kafka_client"  #: ``kafka.ssl_certfile``
    KAFKA_AUTHORITIES = "kafka_authorities"  #: ``kafka.ssl_cafile``


class Final(enum.StrEnum):
    """Whether a decision is final."""

    YES = "true"
    NO = "false"

    @classmethod
    def of(cls, *, final: bool) -> "Final":
        """Return the label."""
        return cls.YES if final else cls.NO
