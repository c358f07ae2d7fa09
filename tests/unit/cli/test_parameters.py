"""Read parameters of a begin: each has the type that its provider's field takes."""

import pathlib
from collections.abc import Mapping
from typing import Any

import click
import pytest

from worker import clock as clocks
from worker import errors, model
from worker.cli import _parameters
from worker.providers import biometric, idnow
from worker.providers.biometric import start as biometric_start
from worker.providers.idnow import start as idnow_start

_CLOCK = clocks.SystemClock()
_IDNOW = idnow_start.SessionStarter(
    "idnow",
    idnow.Settings.model_validate(
        {"environment": "test", "company_id": "ihrebank", "api_key": "synthetic"}
    ),
    _CLOCK,
)
_BIOMETRIC = biometric_start.SessionStarter(
    "biometric",
    biometric.Settings.model_validate({"environment": "test", "flow_api_key": "k"}),
    _CLOCK,
)


def _fitted(beginner: Any, *options: str) -> dict[str, Any]:  # noqa: ANN401 -- either
    def refused(params: Mapping[str, Any]) -> set[str]:
        request = model.BeginRequest(
            source="a",
            begin_id="",
            reference="a1",
            mode=model.BeginMode.REDIRECT,
            return_address="https://www.example.com/",
            provider_params=params,
        )
        try:
            beginner.check(request)
        except errors.InvalidBeginRequest as error:
            return {each.removeprefix("provider_params.") for each in error.problems}
        return set()

    return _parameters.Parameters(options, None).fitted(refused)


@pytest.mark.parametrize(
    ("value", "fitted"),
    [
        ("10409", "10409"),
        ("01067", "01067"),
        ("1e5", "1e5"),
        ("true", "true"),
        ("null", "null"),
        ('"10409"', "10409"),
        ("SW1A 1AA", "SW1A 1AA"),
        ("99999999999999999999999", "99999999999999999999999"),
    ],
)
def test_a_text_stays_a_text_however_it_is_spelt(value: str, fitted: str) -> None:
    """A zip code of digits is no number where the field takes a text."""
    assert _fitted(_IDNOW, f"zipcode={value}") == {"zipcode": fitted}


def test_what_is_no_text_stays_json() -> None:
    """Booleans, and objects made by dots, have their own types; texts stand beside."""
    fitted = _fitted(
        _BIOMETRIC,
        "metadata.edocument.iin.value=123456789012",
        "metadata.edocument.iin.changeable=false",
        'metadata.general.interchangeable_tech=["F2F"]',
    )
    assert fitted == {
        "metadata": {
            "edocument": {"iin": {"value": "123456789012", "changeable": False}},
            "general": {"interchangeable_tech": ["F2F"]},
        }
    }


def test_what_is_refused_either_way_is_refused_as_it_was_given() -> None:
    """The sentence is about the value that was read, not about a second guess."""
    assert _fitted(_IDNOW, "birthday=1") == {"birthday": 1}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_from_windows_tools(mark: bytes, tmp_path: pathlib.Path) -> None:
    """A byte order mark and CRLF are no part of it; UTF-16 is a sentence."""
    file = tmp_path / "params.json"
    file.write_bytes(mark + b'{"zipcode":\r\n"10409"}\r\n')
    assert _parameters.Parameters((), file).fitted(lambda _: ()) == {"zipcode": "10409"}
    file.write_bytes("{}".encode("utf-16"))
    with pytest.raises(click.ClickException, match="is UTF-16"):
        _parameters.Parameters((), file)
