"""Name why a provider's answer is not a result."""

from typing import ClassVar

from worker.errors import base


class FetchError(base.KycError):
    """
    A provider's answer is not a result.

    *answered* is false when no HTTP answer came at all: such failures never end
    a session. *retry_after_ms* is what the provider asked for, if it did.
    *detail* is a word of ours or of the provider's table, never free text.
    """

    reason = "fetch_failed"
    disposition = base.Disposition.RETRY_LATER
    answered: ClassVar[bool] = True

    def __init__(self, detail: str = "", *, retry_after_ms: int | None = None) -> None:
        super().__init__(f"{self.reason}: {detail}" if detail else self.reason)
        self.detail = detail
        self.retry_after_ms = retry_after_ms


class ProviderUnreachable(FetchError):
    """No connection, or it broke before the answer was whole."""

    reason = "unreachable"
    disposition = base.Disposition.RETRY_NOW
    answered = False
    #: the detail where not even a connection was made: nothing was sent
    NOT_CONNECTED: ClassVar[str] = "not_connected"


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


class InvalidResponse(FetchError):
    """HTML, truncated JSON, a redirect, too many bytes, an unexpected status."""

    reason = "bad_answer"


class BeginInDoubt(InvalidResponse):
    """A begin was answered, and the answer does not say what was begun."""

    answered = False


class ProviderAuthFailed(FetchError):
    """Our credentials, our rights or our subscription are refused."""

    reason = "account_refused"
    disposition = base.Disposition.ACCOUNT


class SessionNotFound(FetchError):
    """The provider answered that it does not know the session."""

    reason = "no_such_session"
    disposition = base.Disposition.DENIED


class NotReady(FetchError):
    """The provider knows the session, and its result is not there yet."""

    reason = "not_ready"
    disposition = base.Disposition.NOT_READY


class Unsent(NotReady):
    """What the provider says now is not known: it may be asked again only later."""

    answered = False


class ResultMismatch(FetchError):
    """The answer is another session's or another company's, or does not say."""

    reason = "result_mismatch"
    disposition = base.Disposition.DEAD_LETTER


class BadResultSignature(FetchError):
    """The answer should be signed and is not, or not rightly."""

    reason = "bad_result_signature"
    disposition = base.Disposition.DEAD_LETTER


class MappingCrashed(FetchError):
    """Our own mapping raised on the answer, or the process did not survive it."""

    reason = "quarantined"
    disposition = base.Disposition.DEAD_LETTER
