"""Say how a begin ends, where it is not refused: the answer, a repeat, a doubt."""

import dataclasses
import enum

from worker import model


class Repeat(enum.StrEnum):
    """What became of the begin that a request repeats."""

    BEGUN = "begun"
    IN_PROGRESS = "in_progress"
    OUTCOME_UNKNOWN = "outcome_unknown"


class Repeated(Exception):
    """The same was begun before: no answer is given twice, it holds a credential."""

    def __init__(self, state: Repeat, session_id: str | None = None) -> None:
        super().__init__(state.value)
        self.state = state
        self.session_id = session_id


class InDoubt(Exception):
    """The provider was called, and nobody knows whether it has begun a session."""

    def __init__(self, reason: str, fault: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The one answer to a begin; holds credentials."""

    begun: model.Begun
    reference: str
    #: ours, with the session in it: for the company's page, and for its widget
    return_url: str | None = dataclasses.field(default=None, repr=False)
    finished_url: str | None = dataclasses.field(default=None, repr=False)
