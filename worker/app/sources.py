"""Build what each configured source needs: its adapter, its rules, its gate."""

import asyncio
import dataclasses
from collections.abc import Mapping

from worker import clock as clocks
from worker import errors, model, policy, ports, providers, settings
from worker.pipeline import binding, gate
from worker.settings import sources


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One configured source."""

    name: str
    settings: sources.Source
    entry: providers.ProviderEntry
    provider: ports.Provider


def load(config: str | None) -> settings.Settings:
    """
    Return the settings of the file *config*, or of what the environment names.

    Raises errors.ConfigurationError with every problem.
    """
    import pathlib  # noqa: PLC0415 -- nothing else here needs paths

    refused = frozenset().union(
        *(entry.documentation_secrets for entry in providers.REGISTRY.values())
    )
    return settings.load(
        None if config is None else pathlib.Path(config),
        settings.process_environment(),
        {name: entry.settings_type for name, entry in providers.REGISTRY.items()},
        documentation_secrets=refused,
    )


def configured(config: settings.Settings, clock: clocks.Clock) -> dict[str, Configured]:
    """Return every configured source by its name; opens no connection yet."""
    built = {}
    for name, source in config.sources.items():
        entry = providers.REGISTRY[source.provider]
        built[name] = Configured(
            name=name,
            settings=source,
            entry=entry,
            provider=entry.build(name, source, clock),
        )
    return built


def find(sources: Mapping[str, Configured], name: str) -> Configured:
    """Return the source *name*; raises errors.ConfigurationError where none is it."""
    if name not in sources:
        known = ", ".join(sorted(sources)) or "none"
        raise errors.ConfigurationError(
            [f"no source is named {name!r}; configured are: {known}"]
        )
    return sources[name]


def bindings(
    sources: Mapping[str, Configured], config: settings.Settings, clock: clocks.Clock
) -> dict[str, binding.Binding]:
    """Return what the pipeline needs of each source."""
    retention = config.ledger.identity_retention
    return {
        name: binding.Binding(
            provider=each.provider,
            rules=rules(each.settings, retention),
            gate=gate.Gate(_limits(each.settings), clock),
        )
        for name, each in sources.items()
    }


def rules(source: sources.Source, identity_retention_ms: int) -> policy.Rules:
    """Return what the ledger needs to know of *source*."""
    return policy.Rules(
        provider=source.provider,
        environment=model.Environment(source.environment),
        fetches=source.fetches,
        retry=policy.Backoff(
            first_ms=source.retry.first,
            factor=source.retry.factor,
            max_ms=source.retry.max,
        ),
        retry_horizon_ms=source.retry.horizon,
        not_ready=policy.Backoff(
            first_ms=source.not_ready.first, max_ms=source.not_ready.max
        ),
        not_ready_attempts=source.not_ready.attempts,
        recheck_pending_ms=source.recheck_pending,
        recheck_min_interval_ms=source.recheck_min_interval,
        unconfirmed_grace_ms=source.unconfirmed_grace,
        denied_answers=source.denied.answers,
        denied_over_ms=source.denied.over,
        quarantine_attempts=source.quarantine_attempts,
        max_callback_age_ms=source.max_callback_age,
        identity_retention_ms=identity_retention_ms,
    )


def _limits(source: sources.Source) -> gate.Limits:
    return gate.Limits(
        concurrency=source.concurrency,
        rate_per_s=source.rate_per_s,
        circuit_failures=source.circuit.failures,
        circuit_open_ms=source.circuit.open,
        denied_per_minute=source.denied.per_minute,
    )


async def close(built: Mapping[str, Configured]) -> None:
    """Close every source's connections; idempotent."""
    await asyncio.gather(*(each.provider.close() for each in built.values()))
