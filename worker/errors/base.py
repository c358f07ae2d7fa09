"""Root the error tree: what every error carries."""

import enum
from collections.abc import Mapping
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


class InvalidBeginRequest(KycError):
    """
    A session cannot be begun as asked: nothing was begun.

    *problems* names fields of the request (``provider_params.flags.liveness``), each
    with a sentence that holds no value.
    """

    reason = "begin_refused"
    disposition = Disposition.REFUSE

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(problems)))
        self.problems = dict(problems)
