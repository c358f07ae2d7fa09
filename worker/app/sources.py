"""Build what each configured source needs: its adapter, its rules, its gate."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import TypeVar

import structlog

from worker import clock as clocks
from worker import errors, ports, providers, settings, signing
from worker.pipeline import source_limiter, source_runtime
from worker.settings import sources

_log = structlog.get_logger()

_Source = TypeVar("_Source")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSource:
    """One configured source."""

    name: str
    settings: sources.Source
    entry: providers.ProviderEntry
    provider: ports.Provider

    @property
    def signature(self) -> signing.SignatureScheme | None:
        """Return how the provider signs the callbacks of this source."""
        return self.entry.scheme(self.settings)


#: What works without a source: the commands that speak with Kafka alone.
_WITHOUT_SOURCES = frozenset({settings.Role.OPERATOR})


def load(
    config: str | None, role: settings.Role = settings.Role.ALL
) -> settings.Settings:
    """
    Return the settings of the file *config*, or of what the environment names.

    Only the secrets of *role* are read. Raises errors.ConfigurationError with every
    problem.
    """
    import pathlib  # noqa: PLC0415 -- nothing else here needs paths

    refused = frozenset().union(
        *(entry.documentation_secrets for entry in providers.REGISTRY.values())
    )
    return settings.load(
        None if config is None else pathlib.Path(config),
        settings.process_environment(),
        {name: entry.settings_type for name, entry in providers.REGISTRY.items()},
        role=role,
        sources_required=role not in _WITHOUT_SOURCES,
        documentation_secrets=refused,
    )


#: What other programs take a proxy from; we do not.
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def warnings(config: settings.Settings) -> list[str]:
    """Return what is allowed and probably not meant, a sentence each."""
    environ = settings.process_environment()
    variable = next((each for each in _PROXY_VARIABLES if environ.get(each)), None)
    direct = [name for name, each in config.sources.items() if each.proxy is None]
    if variable is None or not direct:
        return []
    text = (
        f"{variable} is set and not used: calls to the provider of"
        f" {', '.join(direct)} go out directly; set sources.{direct[0]}.proxy ="
        f' "env:{variable}" for them to go through it'
    )
    return [text]


def log_warnings(config: settings.Settings) -> None:
    """Log the warnings, once at the start of a process that calls providers."""
    for warning in warnings(config):
        _log.warning("settings.doubtful", message=warning)


def build_sources(
    config: settings.Settings, clock: clocks.Clock
) -> dict[str, ConfiguredSource]:
    """Return every configured source by its name; opens no connection yet."""
    built = {}
    for name, source in config.sources.items():
        entry = providers.REGISTRY[source.provider]
        built[name] = ConfiguredSource(
            name=name,
            settings=source,
            entry=entry,
            provider=entry.build(name, source, clock),
        )
    return built


def find(sources: Mapping[str, _Source], name: str) -> _Source:
    """Return the source *name*; raises errors.ConfigurationError where none is it."""
    if name not in sources:
        known = ", ".join(sorted(sources)) or "none"
        raise errors.ConfigurationError(
            [f"no source is named {name!r}; configured are: {known}"]
        )
    return sources[name]


def build_source_runtimes(
    sources: Mapping[str, ConfiguredSource],
    config: settings.Settings,
    clock: clocks.Clock,
) -> dict[str, source_runtime.SourceRuntime]:
    """Return what the pipeline needs of each source."""
    retention = config.ledger.identity_retention
    return {
        name: source_runtime.SourceRuntime(
            provider=each.provider,
            rules=each.settings.rules(retention),
            gate=source_limiter.SourceLimiter(_limits(each.settings), clock),
        )
        for name, each in sources.items()
    }


def _limits(source: sources.Source) -> source_limiter.Limits:
    return source_limiter.Limits(
        concurrency=source.concurrency,
        rate_per_s=source.rate_per_s,
        circuit_failures=source.circuit.failures,
        circuit_open_ms=source.circuit.open,
        denied_per_minute=source.denied.per_minute,
    )


async def close(built: Mapping[str, ConfiguredSource]) -> None:
    """Close every source's connections; idempotent."""
    await asyncio.gather(*(each.provider.close() for each in built.values()))


def webhook_url(config: settings.Settings, name: str) -> str:
    """
    Return the webhook URL of the source *name*.

    With ``signed_url`` its last segment is a secret, made with the first of
    ``url_secrets``.
    """
    source = config.sources[name]
    url = f"{config.ingress.public_url}/webhooks/{name}"
    if "signed_url" not in source.authenticators:
        return url
    key = source.url_secrets[0].key()
    return f"{url}/{signing.derive_url_token(key, source.environment, name)}"
