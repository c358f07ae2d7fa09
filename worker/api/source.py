"""Hold what the api needs of one source, ready made at start."""

import dataclasses
import re
from collections.abc import Callable

from worker import model, ports


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApiSource:
    """One source whose sessions can be begun and registered."""

    name: str
    provider: str
    environment: model.Environment
    beginner: ports.Beginner = dataclasses.field(repr=False)
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
