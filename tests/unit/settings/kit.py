"""What the tests of the settings share: a small provider and a file to load."""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pytest

from worker import errors, providers, settings
from worker.settings import sources, types

#: 32 bytes each, all different.
SECRETS = tuple(f"secret-{number}-".ljust(32, "x") for number in range(9))


class Tiny(sources.Source):
    """A provider that no one has: callbacks by a signed URL, results by a key."""

    provider: Literal["tiny"] = "tiny"
    base_url: str = "https://api.tiny.example"
    api_key: types.Secret
    forward_messages_to: str | None = None
    lists: tuple[str, ...] = ()
    strict: bool = False

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``signed_url``."""
        return ("signed_url",)

    def conflicts(self) -> Iterable[types.FieldConflict]:
        """Refuse more lists than calls at a time."""
        if len(self.lists) > self.concurrency:
            yield types.FieldConflict(("lists", "concurrency"), "must be shorter")


class Short(Tiny):
    """The same with a signature and shorter keys, as id beyond has."""

    hmac_secret_min_bytes = 16

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``."""
        return ("hmac_body",)


#: what the documentation of the providers prints
DOCUMENTED = frozenset[str]().union(
    *(entry.documentation_secrets for entry in providers.REGISTRY.values())
)
SOURCE_TYPES: Mapping[str, type[sources.Source]] = {"tiny": Tiny}
SOURCE = f"""
[sources.one]
provider = "tiny"
environment = "test"
api_key = "the key"
url_secrets = ["{SECRETS[0]}"]
"""


class Desk:
    """Writes a configuration file and loads it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "kyc.toml"

    def load(self, text: str = SOURCE, **environ: str) -> settings.Settings:
        """Return the settings of *text* and *environ*."""
        self.path.write_text(text)
        return settings.load(self.path, environ, SOURCE_TYPES)

    def problems(self, text: str, **environ: str) -> list[str]:
        """Return what is wrong with *text* and *environ*."""
        with pytest.raises(errors.ConfigurationError) as caught:
            self.load(text, **environ)
        return caught.value.problems

    def source_problems(self, extra: str, **environ: str) -> list[str]:
        """Return what is wrong with the sample source when *extra* lines follow it."""
        return self.problems(SOURCE + extra, **environ)


def tiny(**fields: Any) -> Tiny:  # noqa: ANN401 -- any field of the model
    """Return a valid source with *fields* in it."""
    given = {"environment": "test", "api_key": "the key", "url_secrets": [SECRETS[0]]}
    return Tiny.model_validate(given | fields)
