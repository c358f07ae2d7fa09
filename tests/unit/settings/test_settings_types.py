"""Durations, secrets, networks and lists."""

import pathlib

import pydantic
import pytest

from tests.unit.settings import kit
from worker.settings import types


class _Sample(types.Section):
    duration: types.DurationMs = 5
    positive: types.PositiveMs = 5
    secret: types.Secret | None = None
    secrets: tuple[types.Secret, ...] = ()
    networks: tuple[types.Network, ...] = ()
    numbers: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500ms", 500),
        ("5s", 5_000),
        ("1.5s", 1_500),
        ("15m", 900_000),
        ("6h", 21_600_000),
        ("400d", 34_560_000_000),
        ("0s", 0),
        ("5 s", 5_000),
        ("5", 5_000),
        (5, 5_000),
        (0.25, 250),
    ],
)
def test_a_duration_is_read(text: object, milliseconds: int) -> None:
    """A duration is a number with a unit, or a number of seconds."""
    sample = _Sample.model_validate({"duration": text})

    assert milliseconds == sample.duration


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5s", -5, "5 weeks", True, "1e3s", "\u0665s", "99999d", [], "5s5s"],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Anything else is refused, negative and century-long times among it."""
    with pytest.raises(pydantic.ValidationError):
        _Sample.model_validate({"duration": text})


def test_a_time_that_must_pass_is_more_than_zero() -> None:
    """Zero is refused where a loop would spin on it."""
    with pytest.raises(pydantic.ValidationError):
        _Sample.model_validate({"positive": "0s"})


def test_defaults_are_in_milliseconds_already() -> None:
    """A default is not read as a number of seconds."""
    assert (_Sample().duration, _Sample().positive) == (5, 5)


def test_a_secret_shows_itself_nowhere() -> None:
    """Neither the secret nor the table that holds it prints the text."""
    sample = _Sample.model_validate({"secret": "MARKER", "secrets": ["MARKER"]})

    shown = f"{sample!r} {sample} {sample.secret!r} {sample.secret}"
    assert "MARKER" not in shown
    assert "***" in shown


def test_a_secret_shows_itself_in_no_error() -> None:
    """Pydantic's message of a table with a wrong value holds no value."""
    with pytest.raises(pydantic.ValidationError) as caught:
        _Sample.model_validate({"duration": "MARKER", "secret": "MARKER"})

    assert "MARKER" not in str(caught.value)


def test_a_secret_gives_its_text_and_its_key() -> None:
    """Keys are the UTF-8 bytes of the text."""
    secret = types.Secret("schlüssel")

    assert ("schlüssel", "schlüssel".encode()) == (secret.reveal(), secret.key())


def test_a_secret_is_a_text() -> None:
    """A number is no secret."""
    with pytest.raises(pydantic.ValidationError):
        _Sample.model_validate({"secret": 5})


def test_references_are_left_alone_without_the_loader() -> None:
    """A table built in code resolves nothing: only the loader reads the environment."""
    sample = _Sample.model_validate({"secret": "env:HOME"})

    assert sample.secret is not None
    assert sample.secret.reveal() == "env:HOME"


def test_a_secret_comes_from_the_environment() -> None:
    """``env:NAME`` is the variable's value."""
    assert types.resolve("env:KEY", {"KEY": "a b"}) == "a b"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"key", "key"),
        (b"key\n", "key"),
        (b"key\r\n", "key"),
    ],
)
def test_a_secret_comes_from_a_file(
    tmp_path: pathlib.Path, content: bytes, secret: str
) -> None:
    """``file:/path`` is the file's text less one trailing newline."""
    path = tmp_path / "key"
    path.write_bytes(content)

    assert secret == types.resolve(f"file:{path}", {})


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("", "is empty"),
        ("env:", "must have the name"),
        ("env:NO SUCH", "must have the name"),
        ("env:NONE", "NONE, which is not set"),
        ("env:EMPTY", "is empty"),
        ("file:relative", "absolute path"),
        ("file:/no/such/file", "/no/such/file, which cannot be read"),
        ("file:/", "cannot be read"),
        ("file:/a\0b", "cannot be read"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_problem(
    reference: str, found: str
) -> None:
    """A missing variable or file is named, with what to do."""
    with pytest.raises(ValueError, match=found):
        types.resolve(reference, {"EMPTY": ""})


def test_a_file_that_is_no_text_is_a_problem(tmp_path: pathlib.Path) -> None:
    """Bytes that are not UTF-8 are refused, and not shown."""
    path = tmp_path / "key"
    path.write_bytes(b"MARKER\xff")

    with pytest.raises(ValueError, match="not UTF-8") as caught:
        types.resolve(f"file:{path}", {})

    assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "nowhere", "", 5])
def test_what_is_no_network_is_refused(text: object) -> None:
    """Host bits, names and numbers are refused; one sentence for both families."""
    with pytest.raises(pydantic.ValidationError) as caught:
        _Sample.model_validate({"networks": [text]})

    assert caught.value.error_count() == 1


def test_networks_of_both_families_are_read() -> None:
    """A single address is a network of one."""
    sample = _Sample.model_validate({"networks": ["10.0.0.0/8", "2001:db8::1"]})

    assert [str(one) for one in sample.networks] == ["10.0.0.0/8", "2001:db8::1/128"]


def test_a_list_may_come_as_text() -> None:
    """The environment's values are texts: a list is written as TOML or JSON has it."""
    sample = _Sample.model_validate({"numbers": "[1, 2]", "secrets": '["a"]'})

    assert sample.numbers == (1, 2)
    assert [secret.reveal() for secret in sample.secrets] == ["a"]


@pytest.mark.parametrize("text", ["a", "[1", "1, 2", "{}"])
def test_a_text_that_is_no_list_is_refused(text: str) -> None:
    """A bare word is no list of one: a comma in it would be read two ways."""
    with pytest.raises(pydantic.ValidationError):
        _Sample.model_validate({"numbers": text})


def test_unknown_keys_are_errors() -> None:
    """A table takes no key that it does not know."""
    with pytest.raises(pydantic.ValidationError):
        _Sample.model_validate({"numbrs": [1]})


def test_a_table_is_frozen() -> None:
    """Nothing changes a setting after the start."""
    source = kit.tiny()

    with pytest.raises(pydantic.ValidationError):
        source.concurrency = 5


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("10/s", 10), ("0.5/s", 0.5), ("300/m", 5), ("7200 / h", 2), ("1/h", 1 / 3600)],
)
def test_a_rate_is_per_second(text: str, per_second: float) -> None:
    """Whatever its unit."""
    assert per_second == pytest.approx(kit.tiny(rate_limit=text).rate_limit)


@pytest.mark.parametrize(
    "value",
    [10, 10.0, True, "", "10", "10/d", "-1/s", "1e3/s", "0/s", "0.0/h", "inf/s"],
)
def test_what_is_no_rate_is_refused(value: object) -> None:
    """A number without its unit among them."""
    with pytest.raises(pydantic.ValidationError):
        kit.tiny(rate_limit=value)


@pytest.mark.parametrize("value", ["1s", "1d", 300])
def test_a_tolerance_is_a_duration(value: object) -> None:
    """From a second to a day."""
    assert kit.tiny(tolerance=value).tolerance >= 1_000


@pytest.mark.parametrize("value", ["999ms", "49h", "0s"])
def test_a_tolerance_has_bounds(value: object) -> None:
    """Less lets no caller in, more lets old callbacks in."""
    with pytest.raises(pydantic.ValidationError):
        kit.tiny(tolerance=value)
