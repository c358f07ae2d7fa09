"""Say what the rest of the program needs to know of a provider."""

import dataclasses
from typing import Any, Protocol

from worker import clock as clocks
from worker import ports, signing
from worker.settings import sources


class AdapterFactory(Protocol):
    """Makes the adapter of one source."""

    def __call__(
        self,
        source: str,
        # Any: each provider takes its own settings type, which stands beside it
        settings: Any,  # noqa: ANN401 -- see above
        clock: clocks.Clock,
    ) -> ports.Provider:
        """Return the adapter; opens no connection yet."""
        ...


class StarterFactory(Protocol):
    """Makes what begins sessions of one source."""

    def __call__(
        self,
        source: str,
        # Any: each provider takes its own settings type, which stands beside it
        settings: Any,  # noqa: ANN401 -- see above
        clock: clocks.Clock,
    ) -> ports.SessionStarter:
        """Return it; opens no connection yet."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """One provider: its settings, its adapter, and how its callbacks are proven."""

    name: str
    settings_type: type[sources.Source]
    build: AdapterFactory
    build_beginner: StarterFactory
    #: what ``hmac_body`` means here; None where the provider signs nothing
    signature: signing.SignatureScheme | None = None
    #: the field of the JSON body that ``body_key`` compares with
    #: ``settings.callback_api_keys``; None where there is no such field
    body_key: str | None = None
    #: the parameter in which its redirect back names the session, if it does
    return_query: str | None = None
    #: secrets printed in public documentation: refused at start
    documentation_secrets: frozenset[str] = frozenset()
