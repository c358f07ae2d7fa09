"""Write the configuration that all processes share, and read it as they do."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import tomli_w

from worker import errors, providers, settings
from worker.devkit.dev import demo_credentials as of_company
from worker.settings import config_file

# Fewer than in earnest: each one costs the start a fence and a restore.
_PARTITIONS = 12
_SOURCES = f"{config_file.PREFIX}SOURCES__"

Tables = dict[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the processes share, as far as it is known."""

    sources: Tables = dataclasses.field(repr=False)
    port: int
    api_port: int = 8081
    company: of_company.DemoCredentials = dataclasses.field(
        default_factory=of_company.DemoCredentials
    )
    bootstrap_servers: str = "127.0.0.1:9092"
    topic_prefix: str = "kyc"

    def write(self, path: pathlib.Path) -> None:
        """Write the file, secrets and all, for nobody else to read."""
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a descriptor
            file.write(tomli_w.dumps(self._document()))

    def _document(self) -> Tables:
        return {
            "kafka": {
                "bootstrap_servers": self.bootstrap_servers,
                "topic_prefix": self.topic_prefix,
                "partitions": _PARTITIONS,
                "durability": "single-broker",
                # What a killed worker held moves on after so long.
                "session_timeout": "6s",
            },
            "ingress": {
                "host": "127.0.0.1",
                "port": self.port,
                "public_url": f"http://127.0.0.1:{self.port}",
                "shutdown_timeout": "3s",
            },
            "worker": {"host": "127.0.0.1", "shutdown_timeout": "5s"},
            **self.company.tables(self.api_port),
            "sources": self.sources,
        }


def sources_of(path: pathlib.Path) -> Tables:
    """
    Return the source tables of the file at *path*, as they stand there.

    Raises errors.ConfigurationError where there are none.
    """
    tables = config_file.read(path, {}).table.get("sources")
    if not isinstance(tables, dict) or not tables:
        raise errors.ConfigurationError(
            [f"{path} holds no sources: add one as [sources.NAME]."]
        )
    return {
        name: table if isinstance(table, dict) else {} for name, table in tables.items()
    }


def hidden(environ: Mapping[str, str], *, own_sources: bool) -> list[str]:
    """
    Return the variables that are not to reach the processes of ``dev``.

    Settings of a real installation in the environment of whoever tries ``dev`` must
    not send sample traffic there. The sources of a file of their own (*own_sources*)
    may be set by the environment, as everywhere.
    """
    return [
        name
        for name in environ
        if name.startswith(config_file.PREFIX)
        and not (own_sources and name.startswith(_SOURCES))
    ]


def load(
    path: pathlib.Path, environ: Mapping[str, str], *, own_sources: bool
) -> settings.Settings:
    """Return the settings at *path*; raises errors.ConfigurationError."""
    unseen = set(hidden(environ, own_sources=own_sources))
    refused = frozenset().union(
        *(entry.documentation_secrets for entry in providers.REGISTRY.values())
    )
    return settings.load(
        path,
        {name: value for name, value in environ.items() if name not in unseen},
        {name: entry.settings_type for name, entry in providers.REGISTRY.items()},
        documentation_secrets=refused,
    )
