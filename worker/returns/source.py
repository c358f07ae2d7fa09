"""Hold what the return endpoints need of one source."""

import dataclasses
from collections.abc import Callable

from worker import model


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSource:
    """One source, as the person's browser meets it."""

    name: str
    provider: str
    environment: model.Environment
    #: whose the statements are
    audience: str
    #: of the company's pages, exactly as browsers write them
    origins: frozenset[str]
    #: from a spelling to the session id, None against the provider's pattern
    canonical: Callable[[object], str | None]
    #: the parameter in which the provider's redirect names the session, if it does
    session_query: str | None = None
