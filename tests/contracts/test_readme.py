"""The README says what the code does: settings, words, commands, tests, links."""

import pathlib
import re

import pytest

from tests.support import reference
from worker import providers, settings

ROOT = pathlib.Path(__file__).parents[2]
README = reference.README.read_text()
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "THREAT_MODEL.md", "CHANGELOG.md")


def section(title: str) -> str:
    """Return what stands below the heading *title*, up to the next of its rank."""
    text = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
    (level,) = re.findall(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    _, _, rest = text.partition(f"{level} {title}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str, head: str) -> list[list[str]]:
    """Return the cells of the table below *title* whose first column is *head*."""
    _, _, table = section(title).partition(f"| {head} |")
    assert table, f"no table {head} below {title}"
    lines = table.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def words(cells: list[str]) -> list[str]:
    """Return the words in code quotes of the first of *cells*."""
    return re.findall(r"`([^`]+)`", cells[0])


# -- settings


def test_the_settings_are_the_codes_own() -> None:
    """Every key stands there, with its type and default (see tests.support)."""
    assert reference.names() == set(reference.tables(README))
    assert reference.rewritten(README) == README, "python -m tests.support.reference"


@pytest.mark.parametrize("name", sorted(reference.names()))
def test_every_setting_says_what_it_means(name: str) -> None:
    """No row is left without a meaning."""
    told = reference.tables(README)[name]

    assert [row.key for row in reference.rows(name)] == list(told)
    assert [key for key, meaning in told.items() if not meaning] == []


def test_the_authenticators_defaults_are_told() -> None:
    """Each authenticator stands there, with the providers whose default it is."""
    told = {words(row)[0]: words(row[2:]) for row in _authenticators()}
    defaults = {name: _defaults(name) for name in providers.REGISTRY}

    assert {
        one: [name for name in sorted(defaults) if one in defaults[name]]
        for one in told
    } == told
    assert set().union(*defaults.values()) <= set(told)


def _authenticators() -> list[list[str]]:
    return rows("`[sources.NAME]`, whatever the provider", "authenticator")


def _defaults(name: str) -> tuple[str, ...]:
    # Built unchecked: what a source must have is not at stake here.
    source = providers.REGISTRY[name].settings_type.model_construct()
    return source.default_authenticate


def test_the_example_configuration_loads(tmp_path: pathlib.Path) -> None:
    """What the ten minutes show, put together, is a good configuration."""
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "kyc.toml"
    path.write_text("\n".join(blocks))
    environment = {
        name: f"{name}-a-secret-of-enough-length"
        for name in re.findall(r'"env:([A-Z_]+)"', path.read_text())
    }

    loaded = settings.load(
        path,
        environment,
        {name: entry.settings_type for name, entry in providers.REGISTRY.items()},
    )

    assert set(providers.REGISTRY) == {one.provider for one in loaded.sources.values()}
