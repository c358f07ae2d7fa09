"""Define a provider's entry: all that the rest of the program knows of a provider."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from worker import clock as clocks
from worker import errors, model, ports, signing
from worker.settings import sources


class AdapterFactory(Protocol):
    """Builds the adapter of one source."""

    def __call__(
        self,
        source: str,
        # Any: each provider has its own settings type
        settings: Any,  # noqa: ANN401 -- see above
        clock: clocks.Clock,
    ) -> ports.Provider:
        """Return the adapter; opens no connection yet."""
        ...


class StarterFactory(Protocol):
    """Builds the session starter of one source."""

    def __call__(
        self,
        source: str,
        # Any: each provider has its own settings type
        settings: Any,  # noqa: ANN401 -- see above
        clock: clocks.Clock,
    ) -> ports.SessionStarter:
        """Return it; opens no connection yet."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class NoStart:
    """The session starter of a provider whose sessions are not started here."""

    provider: str

    def check(self, request: model.BeginRequest) -> None:  # noqa: ARG002 -- refuses any
        """Raise errors.InvalidBeginRequest, whatever *request* asks for."""
        self._refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- no id
        """Return None."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:  # noqa: ARG002 -- refuses any
        """Raise errors.InvalidBeginRequest."""
        raise self._refusal()

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def _refuse(self) -> None:
        raise self._refusal()

    def _refusal(self) -> errors.InvalidBeginRequest:
        return errors.InvalidBeginRequest(
            {
                "source": f"sessions of provider {self.provider} cannot be started"
                " here; register them"
            }
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """
    One provider: its settings, its adapter, its session start, its signature.

    The simulator is found by *name*: ``worker/devkit/simulators/{name}.py``. Hosts
    are listed beside the settings: ``Source.host_settings``.
    """

    name: str
    settings_type: type[sources.Source]
    build: AdapterFactory
    #: returns the table of a sample source, without ``provider``, with new secrets
    sample_settings: Callable[[], dict[str, Any]]
    #: None: sessions are started elsewhere and registered
    build_starter: StarterFactory | None = None
    #: returns what ``hmac_body`` means for the settings of a source; None where the
    #: provider signs nothing
    signature: Callable[[Any], signing.SignatureScheme] | None = None
    #: returns what fetches the keys of ``hmac_body`` (with ``Source.fetches_keys``),
    #: given the adapter; None where they are the source's ``hmac_secrets``
    key_source: Callable[[Any], signing.KeySource] | None = None
    #: the field of the JSON body that ``body_key`` compares with
    #: ``settings.callback_api_keys``; None where there is no such field
    body_key: str | None = None
    #: the parameter in which its redirect back names the session, if it does
    return_query: str | None = None
    #: secrets printed in public documentation: refused at start
    documentation_secrets: frozenset[str] = frozenset()
    #: changes that make a further sample source ``{name}_{key}``
    sample_variants: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )
    #: what a sample session start gives in ``provider_params``
    sample_start_parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def scheme(self, settings: sources.Source) -> signing.SignatureScheme | None:
        """Return how callbacks of a source with *settings* are signed, if they are."""
        return None if self.signature is None else self.signature(settings)

    def keys(self, adapter: ports.Provider) -> signing.KeySource | None:
        """Return what fetches the keys by which callbacks are verified, if it must."""
        return None if self.key_source is None else self.key_source(adapter)

    def starter(
        self, source: str, settings: sources.Source, clock: clocks.Clock
    ) -> ports.SessionStarter:
        """Return what starts sessions, or what refuses to; opens no connection yet."""
        if self.build_starter is None:
            return NoStart(self.name)
        return self.build_starter(source, settings, clock)

    def sample_sources(self) -> dict[str, dict[str, Any]]:
        """Return the tables of the sample sources by name; new secrets at each call."""
        tables = {self.name: {"provider": self.name, **self.sample_settings()}}
        for key, changes in self.sample_variants.items():
            table = {"provider": self.name, **self.sample_settings(), **changes}
            tables[f"{self.name}_{key}"] = table
        return tables
