"""
Name everything that can go wrong, and what is to be done about it.

    KycError
    ├── ConfigurationError          a sentence for the person who configures
    ├── CallbackError               the ingress refuses a callback
    │   ├── AuthenticationError       401, one body for every cause
    │   ├── MalformedBody             400, not one JSON object
    │   └── UnmappableCallback        503, authentic but not in our table
    ├── FetchError                  a provider's answer is not a result
    │   ├── ProviderUnreachable       no answer at all
    │   ├── ProviderTimeout           no answer in time
    │   ├── ProviderFault             5xx and other answered faults
    │   ├── RateLimited               429
    │   ├── BadAnswer                 not the documented kind of answer
    │   ├── AccountRefused            our credentials or our subscription
    │   ├── NoSuchSession             the provider denies the session
    │   ├── NotReady                  the result is still being made
    │   ├── ResultMismatch            another session's or company's result
    │   ├── BadResultSignature        a signed answer that does not verify
    │   └── MappingCrashed            our own mapping raised on the answer
    └── TransportError              Kafka
        ├── KafkaUnavailable          no acknowledgement in time
        ├── OwnershipLost             another owner has fenced this partition
        ├── CommitInDoubt             the outcome of a commit is not known
        ├── TransactionHangs          a broker forgot to end a transaction
        ├── PositionLost              the position fell out of the retention
        ├── TopicMismatch             a topic differs from what is configured
        ├── UnknownVersion            a record of a version we do not know
        └── RecordTooLarge            refused before a transaction begins

Every class carries a *reason*, a fixed word that may be a metric label, and a
*disposition*, what the pipeline does about it. Nobody asks for the class.
Messages never hold a body, a header, a query or a secret.
"""

import enum
from typing import ClassVar


class Disposition(enum.StrEnum):
    """What is done about an error."""

    REFUSE = "refuse"  #: answer the caller, change nothing
    RETRY_NOW = "retry_now"  #: once or twice in place, then later
    RETRY_LATER = "retry_later"  #: with back-off, until the horizon
    NOT_READY = "not_ready"  #: soon again, a limited number of times
    DENIED = "denied"  #: the provider answered that there is no such session
    ACCOUNT = "account"  #: an alarm for us, and later again
    DEAD_LETTER = "dead_letter"  #: after a few attempts
    CRASH = "crash"  #: throw the partition away and start it again


class KycError(Exception):
    """The root; never raised itself."""

    reason: ClassVar[str] = "error"
    disposition: ClassVar[Disposition] = Disposition.CRASH


class ConfigurationError(KycError):
    """The configuration cannot be used; *problems* holds one sentence each."""

    reason = "configuration"
    disposition = Disposition.REFUSE

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CallbackError(KycError):
    """A callback is refused; never raised itself."""

    reason = "callback"
    disposition = Disposition.REFUSE


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


class FetchError(KycError):
    """
    A provider's answer is not a result.

    *answered* is false when no HTTP answer came at all: such failures never end
    a session. *retry_after_ms* is what the provider asked for, if it did.
    *detail* is a word of ours or of the provider's table, never free text.
    """

    reason = "fetch_failed"
    disposition = Disposition.RETRY_LATER
    answered: ClassVar[bool] = True

    def __init__(self, detail: str = "", *, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{self.reason}: {detail}" if detail else self.reason)
        self.detail = detail
        self.retry_after_ms = retry_after_ms


class ProviderUnreachable(FetchError):
    """No connection, or it broke before the answer was whole."""

    reason = "unreachable"
    disposition = Disposition.RETRY_NOW
    answered = False


class ProviderTimeout(FetchError):
    """No whole answer within the source's ``fetch_timeout``."""

    reason = "timeout"
    answered = False


class ProviderFault(FetchError):
    """A 5xx, or another answer that says the fault is the provider's."""

    reason = "provider_fault"


class RateLimited(FetchError):
    """A 429, with or without Retry-After."""

    reason = "rate_limited"


class BadAnswer(FetchError):
    """HTML, truncated JSON, a redirect, too many bytes, an unexpected status."""

    reason = "bad_answer"


class AccountRefused(FetchError):
    """Our credentials, our rights or our subscription are refused."""

    reason = "account_refused"
    disposition = Disposition.ACCOUNT


class NoSuchSession(FetchError):
    """The provider answered that it does not know the session."""

    reason = "no_such_session"
    disposition = Disposition.DENIED


class NotReady(FetchError):
    """The provider knows the session, and its result is not there yet."""

    reason = "not_ready"
    disposition = Disposition.NOT_READY


class ResultMismatch(FetchError):
    """The answer is another session's or another company's, or does not say."""

    reason = "result_mismatch"
    disposition = Disposition.DEAD_LETTER


class BadResultSignature(FetchError):
    """The answer should be signed and is not, or not rightly."""

    reason = "bad_result_signature"
    disposition = Disposition.DEAD_LETTER


class MappingCrashed(FetchError):
    """Our own mapping raised on the answer, or the process did not survive it."""

    reason = "quarantined"
    disposition = Disposition.DEAD_LETTER


class TransportError(KycError):
    """Kafka; never raised itself."""

    reason = "transport"


class KafkaUnavailable(TransportError):
    """No acknowledgement in time; what was sent may still be written."""

    reason = "kafka_unavailable"
    disposition = Disposition.RETRY_LATER


class OwnershipLost(TransportError):
    """Another owner has fenced this partition, or may have."""

    reason = "ownership_lost"


class CommitInDoubt(TransportError):
    """The outcome of a commit is not known: only a restore can tell."""

    reason = "commit_in_doubt"


class TransactionHangs(TransportError):
    """
    A transaction of the partition's earlier owner is over, and a topic does not know.

    Its records are hidden from every reader of committed ones, and the next
    transaction's end would show or drop them: nothing may be written before an
    operator has ended it.
    """

    reason = "transaction_hangs"


class PositionLost(TransportError):
    """The position has fallen out of the topic's retention."""

    reason = "position_lost"
    disposition = Disposition.REFUSE


class TopicMismatch(TransportError):
    """A topic differs from what is configured; *problems* says how, and what to do."""

    reason = "topic_mismatch"
    disposition = Disposition.REFUSE

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownVersion(TransportError):
    """A record of a version this release does not know: not ready, never lost."""

    reason = "unknown_version"
    disposition = Disposition.REFUSE


class RecordTooLarge(TransportError):
    """A record is over the bound; refused before a transaction begins."""

    reason = "record_too_large"
