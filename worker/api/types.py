"""Say how a begin ends, where it is not refused: the answer, a repeat, a doubt."""

import dataclasses
import enum
import re
from collections.abc import Callable

from worker import model, ports


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiSource:
    """One source whose sessions can be begun and registered."""

    name: str
    provider: str
    environment: model.Environment
    beginner: ports.SessionStarter = dataclasses.field(repr=False)
    #: from a spelling to the session id, None against the provider's pattern
    canonical: Callable[[object], str | None] = dataclasses.field(repr=False)
    #: what a reference must match, all of it
    reference: re.Pattern[str]
    #: of the company's pages, exactly as browsers write them
    origins: frozenset[str]
    #: returns where the provider is to call back; holds a token
    webhook_url: Callable[[], str] = dataclasses.field(repr=False)
    #: how long its sessions are open, as far as that is configured
    session_ms: int


class Repeat(enum.StrEnum):
    """What became of the begin that a request repeats."""

    BEGUN = "begun"
    IN_PROGRESS = "in_progress"
    OUTCOME_UNKNOWN = "outcome_unknown"


class DuplicateBegin(Exception):
    """The same was begun before: no answer is given twice, it holds a credential."""

    def __init__(self, state: Repeat, session_id: str | None = None) -> None:
        super().__init__(state.value)
        self.state = state
        self.session_id = session_id


class OutcomeUnknown(Exception):
    """The provider was called, and whether it has started a session is not known."""

    def __init__(self, reason: str, fault: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BeginResult:
    """The one answer to a begin; holds credentials."""

    begun: model.StartedSession
    reference: str
    #: ours, with the session in it: for the company's page, and for its widget
    return_url: str | None = dataclasses.field(default=None, repr=False)
    finished_url: str | None = dataclasses.field(default=None, repr=False)
