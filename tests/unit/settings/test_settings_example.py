"""The example configuration: it loads, is complete, and tells the true defaults."""

import pathlib
import re
from collections.abc import Mapping

import pydantic
import pytest

from worker import providers, settings
from worker.settings import sources, types

EXAMPLE = pathlib.Path(__file__).parents[3] / "kyc.example.toml"
SOURCE_TYPES = {name: one.settings_type for name, one in providers.REGISTRY.items()}
SECTIONS: Mapping[str, type[types.Section]] = {
    "kafka": settings.Kafka,
    "ingress": settings.Ingress,
    "worker": settings.Worker,
    "ledger": settings.Ledger,
    "api": settings.Api,
    "returns": settings.Returns,
}
#: What a person has to bring along.
ENVIRONMENT = {
    name: f"{name}-a-secret-of-enough-length"
    for name in re.findall(
        r'^[^#\n]*"env:([A-Z_]+)"', EXAMPLE.read_text(), re.MULTILINE
    )
}


def plain(value: object) -> object:
    """Return *value* with secrets revealed, so that it can be compared."""
    if isinstance(value, types.Secret):
        return value.reveal()
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, pydantic.BaseModel):
        return {name: plain(one) for name, one in value}
    return dict(value) if isinstance(value, Mapping) else value


def table(name: str) -> str:
    """Return the part of the example under ``[name]``."""
    _, _, rest = EXAMPLE.read_text().partition(f"[{name}]\n")
    return rest.partition("\n[")[0]


def is_told(key: str, text: str) -> bool:
    """Return whether *text* sets *key*, or shows how to."""
    return re.search(rf"^(?:# ?)?{key} = ", text, re.MULTILINE) is not None


def test_the_example_loads_as_it_is() -> None:
    """With its secrets set, all four providers are there."""
    loaded = settings.load(EXAMPLE, ENVIRONMENT, SOURCE_TYPES)

    assert {one.provider for one in loaded.sources.values()} == set(providers.REGISTRY)


def test_the_examples_defaults_are_the_true_ones(tmp_path: pathlib.Path) -> None:
    """Removing every "#" before a setting changes nothing."""
    opened = tmp_path / "kyc.toml"
    opened.write_text(
        re.sub(r"^#(?=[a-z])", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    )

    as_it_is = settings.load(EXAMPLE, ENVIRONMENT, SOURCE_TYPES)
    all_set = settings.load(opened, ENVIRONMENT, SOURCE_TYPES)

    for section in SECTIONS:
        assert plain(getattr(all_set, section)) == plain(getattr(as_it_is, section))
        assert getattr(all_set, section).model_fields_set >= set(
            re.findall(r"^#([a-z_]+) =", table(section), re.MULTILINE)
        )
    for name, source in as_it_is.sources.items():
        assert plain(all_set.sources[name]) == plain(source)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_example_tells_every_setting(name: str) -> None:
    """Nobody has to read the code to find a setting."""
    found = table(name)

    assert [key for key in SECTIONS[name].model_fields if not is_told(key, found)] == []


@pytest.mark.parametrize("provider", providers.REGISTRY)
def test_the_example_tells_every_setting_of_a_source(provider: str) -> None:
    """A provider's own settings stand in its table, the common ones in the first."""
    loaded = settings.load(EXAMPLE, ENVIRONMENT, SOURCE_TYPES)
    (name,) = [one for one, it in loaded.sources.items() if it.provider == provider]
    own, common = table(f"sources.{name}"), table("sources.idnow_de")

    for key in SOURCE_TYPES[provider].model_fields:
        is_common = key in sources.Source.model_fields
        assert is_told(key, own) or (is_common and is_told(key, common)), key
