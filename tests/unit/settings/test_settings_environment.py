"""Whatever the file can say, the environment can say as text."""

import enum
import pathlib
import types as builtin_types
import typing
from collections.abc import Iterator, Mapping

import pydantic
import pytest
import tomli_w

from tests.support import settings_reference
from tests.unit.settings import kit
from worker import providers, settings
from worker.settings import secret, types

#: What a value of each plain type may be; the setting's own bounds refuse some.
_SAMPLES: Mapping[object, tuple[object, ...]] = {
    bool: (True, False),
    int: (1, 3, 30, 16_384, 500, 1 << 26),
    float: (1.5, 2.0),
    str: (
        "a",
        "custom1",
        "https://a.example",
        "0" * 64,
        "pk_live_1",
        "acct_1",
        "vf_1",
        "itmpl_1",
        "2025-12-08",
        "127.0.0.1:9092",
        "/a",
        "/a/{session_id}",
        '{"event":"ping"}',
    ),
    types.Secret: ("k" * 40, "http://proxy.example.com:3128"),
}


def _sections() -> Iterator[tuple[str, type[types.Section]]]:
    """Yield every table, and every table inside of one, by its name."""
    waiting = list(settings_reference.SECTIONS.items())
    while waiting:
        name, section = waiting.pop()
        yield name, section
        waiting.extend(
            (f"{name}.{key}", part)
            for key, field in section.model_fields.items()
            for part in (field.annotation, *typing.get_args(field.annotation))
            if isinstance(part, type) and issubclass(part, types.Section)
        )


def _values(annotation: object) -> Iterator[object]:
    """Yield what may stand in the file for *annotation*."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from ("5s", "10/s", *_values(parts[0]))
    elif origin is typing.Literal:
        yield from parts
    elif origin in {typing.Union, builtin_types.UnionType}:
        for part in parts:
            yield from _values(part)
        yield "192.0.2.0/24"
    elif origin is tuple:
        for value in _values(parts[0]):
            yield [value]
    elif origin is not None:
        yield from ({"a_word": value} for value in _values(parts[1]))
    elif isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        yield from map(str, annotation)
    elif isinstance(annotation, type) and issubclass(annotation, types.Section):
        yield {
            key: value
            for key, field in annotation.model_fields.items()
            if (value := _first(annotation, key, field.annotation)) is not None
        }
    else:
        yield from _SAMPLES.get(annotation, ())


def _provider_samples(key: str) -> list[object]:
    """Return what the sample sources of the providers have for *key*."""
    samples = [each.sample_settings() for each in providers.REGISTRY.values()]
    return [sample[key] for sample in samples if key in sample]


def _first(section: type[types.Section], key: str, annotation: object) -> object:
    """Return the first value that the setting *key* takes."""
    candidates = ("5s", *_values(annotation))
    return next((each for each in candidates if _read(section, key, each)), None)


def _read(section: type[types.Section], key: str, value: object) -> tuple[object, ...]:
    """Return what *key* becomes, in a tuple; an empty one where it is refused."""
    try:
        section.model_validate({key: value}, context={"environ": {}})
    except pydantic.ValidationError as error:
        if any(each["loc"][:1] in ((key,), ()) for each in error.errors()):
            return ()
    # Alone, because the table may lack others that it must have.
    field = section.model_fields[key]
    fields: dict[str, typing.Any] = {key: (field.annotation, field)}
    alone = pydantic.create_model("Alone", __base__=types.Section, **fields)
    made = alone.model_validate({key: value}, context={"environ": {}})
    return (getattr(made, key),)


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    inline = tomli_w.dumps({"value": [value]})  # a table of its own is not inline
    return inline.partition("[")[2].rpartition("]")[0].strip().removesuffix(",")


def _same(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, secret.Secret) and isinstance(other, secret.Secret):
        return one.reveal() == other.reveal()
    return one == other and type(one) is type(other)


def _cases() -> Iterator[object]:
    """Yield every setting once: what providers have in common is not told again."""
    seen: set[tuple[str, str]] = set()
    for name, section in sorted(_sections(), key=lambda each: each[0]):
        for key, field in section.model_fields.items():
            found = (key, repr((field.annotation, field.metadata)))
            if found not in seen:
                yield pytest.param(section, key, id=f"{name}.{key}")
            seen.add(found)


_DURATIONS = ("5s", "500d")
_CASES = list(_cases())


@pytest.mark.parametrize(("section", "key"), _CASES)
def test_a_setting_is_read_from_text(section: type[types.Section], key: str) -> None:
    """Each value that the file may hold means the same as the text of a variable."""
    field = section.model_fields[key]
    candidates = (*_DURATIONS, *_values(field.annotation), *_provider_samples(key))
    taken = [each for each in candidates if _read(section, key, each)]
    assert taken, "no sample is taken: add one to _SAMPLES"
    for value in taken:
        text = _as_text(value)
        assert _same(_read(section, key, value), _read(section, key, text)), text


def test_the_version_of_the_ledger_comes_from_the_environment(desk: kit.Desk) -> None:
    """A closed list of numbers, whole: through the loader."""
    loaded = desk.load(kit.SOURCE, KYC_LEDGER__VERSION="1")

    assert loaded.ledger.version == 1


@pytest.mark.parametrize(
    ("variable", "text", "found"),
    [
        ("KYC_LEDGER__VERSION", "3", "must be one of 1 or 2"),
        ("KYC_API__KEYS", "[{", "must be a list such as"),
        ("KYC_SOURCES__ONE__RETRY", "first", "must be a table such as"),
    ],
)
def test_a_wrong_text_is_told(
    desk: kit.Desk, variable: str, text: str, found: str
) -> None:
    """The sentence names the variable and what it must be."""
    [problem] = desk.problems(kit.SOURCE, **{variable: text})

    assert variable in problem
    assert found in problem


def test_a_table_may_be_one_variable(tmp_path: pathlib.Path) -> None:
    """Written as in the file; its keys may also be variables of their own."""
    path = tmp_path / "kyc.toml"
    path.write_text(kit.SOURCE)
    environ = {"KYC_SOURCES__ONE__RETRY": '{ initial_delay = "3s", attempts = 7 }'}
    retry = settings.load(path, environ, kit.SOURCE_TYPES).sources["one"].retry

    assert (retry.initial_delay, retry.attempts) == (3_000, 7)
