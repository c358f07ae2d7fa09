"""Load the configuration: return valid settings, or report all problems."""

import contextlib
import dataclasses
import os
import pathlib
import re
import types as builtin_types
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import pydantic

from worker import errors
from worker.settings import api as of_api
from worker.settings import (
    config_file,
    error_messages,
    secret,
    security_checks,
    services,
    types,
)
from worker.settings import kafka as of_kafka
from worker.settings import sources as of_source

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_NAME_MAX = 31
#: The metrics' label for everything that is not a source.
_RESERVED = frozenset({"unknown"})

S = TypeVar("S", bound=types.Section)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The complete, checked configuration."""

    kafka: of_kafka.Kafka = dataclasses.field(default_factory=of_kafka.Kafka)
    ingress: services.Ingress = dataclasses.field(default_factory=services.Ingress)
    worker: services.Worker = dataclasses.field(default_factory=services.Worker)
    ledger: services.Ledger = dataclasses.field(default_factory=services.Ledger)
    api: of_api.Api = dataclasses.field(default_factory=of_api.Api)
    returns: of_api.Returns = dataclasses.field(default_factory=of_api.Returns)
    sources: Mapping[str, of_source.Source] = dataclasses.field(default_factory=dict)


def process_environment() -> Mapping[str, str]:
    """Return this process's environment, for ``load``."""
    return os.environ


def load(
    path: pathlib.Path | None,
    environ: Mapping[str, str],
    source_types: Mapping[str, type[of_source.Source]],
    *,
    role: secret.Role = secret.Role.ALL,
    sources_required: bool = False,
    documentation_secrets: Collection[str] = (),
) -> Settings:
    """
    Return the settings of the file at *path* (else ``KYC_CONFIG``) and of *environ*.

    Of the secrets those are read that *role* needs; the others are withheld.
    *source_types* are the settings of each provider by its name. Secrets that are in
    *documentation_secrets* are refused. Raises errors.ConfigurationError with every
    problem, each a sentence that names its key and never a secret. Idempotent.
    """
    if path is None and environ.get(config_file.CONFIG):
        path = pathlib.Path(environ[config_file.CONFIG])
    read = config_file.read(path, environ)
    loading = _Loading(read, environ, role, documentation_secrets)
    settings = Settings(
        kafka=loading.section("kafka", of_kafka.Kafka),
        ingress=loading.section("ingress", services.Ingress),
        worker=loading.section("worker", services.Worker),
        ledger=loading.section("ledger", services.Ledger),
        api=loading.section("api", of_api.Api),
        returns=loading.section("returns", of_api.Returns),
        sources=builtin_types.MappingProxyType(loading.sources(source_types)),
    )
    if sources_required:
        loading.some_source(path)
    loading.others()
    loading.retention(settings)
    loading.report.conflicts(("api",), settings.api.unknown_sources(settings.sources))
    small = settings.ingress.too_small_for(settings.sources)
    loading.report.conflicts(("ingress",), small)
    if any(map(security_checks.is_live, settings.sources.values())):
        for key in ("kafka", "api", "returns"):
            loading.report.conflicts((key,), getattr(settings, key).exposed())
    if loading.report.sentences:
        raise errors.ConfigurationError(loading.report.sentences)
    return settings


class _Loading:
    """The state of one ``load``."""

    def __init__(
        self,
        read: config_file.Layers,
        environ: Mapping[str, str],
        role: secret.Role,
        documented: Collection[str],
    ) -> None:
        self._table = read.table
        self._environ = environ
        self._role = role
        self._documented = documented
        self.report = error_messages.ProblemCollector(read.variables)
        for problem in read.problems:
            self.report.plain(problem)

    def section(self, name: str, section: type[S]) -> S:
        """Return the table *name*, with defaults in place of what is wrong."""
        table = self._table.get(name, {})
        if not isinstance(table, dict):
            self.report.add((name,), "must be a table")
            return section()
        checked, wrong = self._validated((name,), section, table)
        if checked is None:
            kept = {key: value for key, value in table.items() if key not in wrong}
            checked, _ = self._validated((name,), section, kept)
        checked = checked or section()
        self.report.conflicts((name,), checked.conflicts(), wrong)
        return checked

    def sources(
        self, source_types: Mapping[str, type[of_source.Source]]
    ) -> dict[str, of_source.Source]:
        """Return the sources that are valid."""
        tables = self._table.get("sources", {})
        if not isinstance(tables, dict):
            self.report.add(("sources",), "must contain one table per source")
            return {}
        views: dict[str, security_checks.UncheckedSource] = {}
        for name, table in tables.items():
            source_type = self._source_type(name, table, source_types)
            if source_type is not None:
                views[name] = self._source(name, source_type, table)
        for name, key, others in security_checks.reused_secrets(views):
            self.report.add(
                ("sources", name, key),
                f"is the same secret as {' and '.join(others)}:"
                " use a different one for every source",
            )
        return {name: view.source for name, view in views.items()}

    def some_source(self, path: pathlib.Path | None) -> None:
        """Report that no source is configured."""
        if self._table.get("sources"):
            return
        where = "no configuration file is given: use --config or KYC_CONFIG"
        if path is not None:
            where = f"add one to {path} as a table [sources.NAME]"
        self.report.plain(f"No source is configured: {where}.")

    def others(self) -> None:
        """Report unknown tables and keys."""
        known = [field.name for field in dataclasses.fields(Settings)]
        for key in self._table:
            if key not in known:
                self.report.add((key,), error_messages.unknown(key, known))

    def retention(self, settings: Settings) -> None:
        """Report topics whose retention exceeds that of the sessions."""
        longest = settings.ledger.session_retention
        for key in ("events", "decisions", "dead_letters"):
            if getattr(settings.kafka, f"{key}_retention") >= longest:
                self.report.add(
                    ("ledger", "session_retention"),
                    f"must be longer than kafka.{key}_retention",
                )

    def _source_type(
        self,
        name: str,
        table: object,
        source_types: Mapping[str, type[of_source.Source]],
    ) -> type[of_source.Source] | None:
        """Return the settings' class of the source's provider."""
        if not _NAME.fullmatch(name) or len(name) > _NAME_MAX or name in _RESERVED:
            self.report.plain(
                f"sources.{name!r} is not a valid name for a source: use at most"
                f" {_NAME_MAX} lower-case letters, digits and single underscores, and"
                ' not "unknown".'
            )
        if not isinstance(table, dict):
            self.report.add(("sources", name), "must be a table")
            return None
        provider = table.get("provider")
        if isinstance(provider, str) and provider in source_types:
            return source_types[provider]
        is_what = "is missing: set it to" if provider is None else "must be"
        self.report.add(
            ("sources", name, "provider"),
            f"{is_what} one of {', '.join(sorted(source_types))}",
        )
        return None

    def _source(
        self,
        name: str,
        source_type: type[of_source.Source],
        table: dict[str, Any],
    ) -> security_checks.UncheckedSource:
        prefix = ("sources", name)
        checked, wrong = self._validated(prefix, source_type, table)
        source = checked or security_checks.build_unchecked(source_type, table)
        view = security_checks.UncheckedSource(source, self._environ, self._role)
        # The checks of a source may depend on a value that is wrong already.
        with contextlib.suppress(AttributeError, TypeError, ValueError):
            self.report.conflicts(prefix, list(source.conflicts()), wrong)
        self.report.conflicts(
            prefix, security_checks.conflicts(view, self._documented), wrong
        )
        return view

    def _validated(
        self, prefix: tuple[str, ...], section: type[S], table: dict[str, Any]
    ) -> tuple[S | None, set[str]]:
        """Return *table* as a *section*, or None and the keys that are wrong."""
        context = {"environ": self._environ, "role": self._role}
        try:
            return section.model_validate(table, context=context), set()
        except pydantic.ValidationError as error:
            return None, self.report.invalid(prefix, section, error)
