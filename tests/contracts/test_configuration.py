"""docs/configuration.md and the JSON schema say what the settings of the code are."""

import re
import typing
from collections.abc import Iterator

import pytest

from tests.support import settings_reference
from worker import providers
from worker.settings import types

TEXT = settings_reference.PAGE.read_text(encoding="utf-8")


def _sections() -> Iterator[type[types.Section]]:
    """Yield every table of settings, and every table inside one."""
    waiting = list(settings_reference.SECTIONS.values())
    while waiting:
        section = waiting.pop()
        yield section
        for field in section.model_fields.values():
            waiting.extend(_inner(field.annotation))


def _inner(annotation: object) -> Iterator[type[types.Section]]:
    """Yield the tables that are values, or entries of values, of *annotation*."""
    for part in (annotation, *typing.get_args(annotation)):
        if isinstance(part, type) and issubclass(part, types.Section):
            yield part


SECTIONS = {f"{each.__module__}.{each.__qualname__}": each for each in _sections()}


def test_the_page_is_generated() -> None:
    """The page is what the template and the code make of it."""
    assert settings_reference.page() == TEXT, (
        "run python -m tests.support.settings_reference"
    )


def test_every_table_is_on_the_page() -> None:
    """Each table of settings is there exactly once, and no placeholder is left."""
    assert sorted(settings_reference.names()) == sorted(settings_reference.tables())
    assert "| secret | ingress | worker |" in TEXT
    assert "<!-- se" not in TEXT


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_every_setting_has_a_description(name: str) -> None:
    """
    It is at least a sentence, and it is in the JSON schema.

    A table inside a table is described by its own settings. ``provider`` of one
    provider is a constant.
    """
    schema = SECTIONS[name].model_json_schema()["properties"]
    for key, field in SECTIONS[name].model_fields.items():
        if any(_inner(field.annotation)) or "const" in schema[key]:
            continue
        assert (field.description or "").endswith("."), key
        assert schema[key]["description"] == field.description


def test_the_defaults_of_authenticators_are_documented() -> None:
    """Each authenticator is in the table, with the providers whose default it is."""
    _, _, table = TEXT.partition("| authenticator |")
    lines = table.split("\n\n")[0].splitlines()[2:]
    cells = [line[1:-1].split(" | ") for line in lines]
    documented = {_code(row[0])[0]: _code(row[2]) for row in cells}
    defaults = {name: _defaults(name) for name in providers.REGISTRY}

    assert {
        one: [name for name in sorted(defaults) if one in defaults[name]]
        for one in documented
    } == documented
    assert set().union(*defaults.values()) <= set(documented)


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _defaults(name: str) -> tuple[str, ...]:
    # Built unchecked: required settings do not matter here.
    source = providers.REGISTRY[name].settings_type.model_construct()
    return source.default_authenticate
