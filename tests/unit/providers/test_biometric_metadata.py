"""What may be told to Biometric.kz of a person, and every way to tell it wrongly."""

import base64
import traceback
from typing import Any

import pytest

from tests.support import starts
from worker import errors
from worker.providers import biometric
from worker.providers.biometric import start_metadata

_WHERE = "provider_params.metadata"
_ENTRY = f"{_WHERE}.edocument"
_BASE64 = "must be a photo in base64: padded, without line breaks or data: before"


def _problems(params: dict[str, Any], **changes: object) -> dict[str, str]:
    settings = biometric.Settings.model_validate(
        {"environment": "test", "flow_api_key": "k", "max_photo_bytes": 31}
    )
    request = starts.request(provider_params=params, **changes)
    try:
        start_metadata.check(request, settings)
    except errors.InvalidBeginRequest as refused:
        return refused.problems
    return {}


def _of(metadata: object) -> dict[str, str]:
    return _problems({"metadata": metadata})


def _document(**fields: object) -> dict[str, str]:
    return _of({"edocument": fields})


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"face2face": {}, "edocument": {}, "general": {}},
        {"face2face": {"photo1": base64.b64encode(b"x" * 31).decode()}},
        {
            "edocument": {
                "iin": {"value": "123456789012", "changeable": False},
                "phone": {"value": "+1234567890", "changeable": False},
                "skip_input": True,
            }
        },
        {
            "edocument": {
                "iin": {"value": "123456789012", "changeable": False},
                "phone": {"value": "77011234567"},
            }
        },
        {"edocument": {"phone": {"value": "77011234567"}, "skip_input": False}},
        {"general": {"interchangeable_tech": ["LDHP", "F2F"]}},
    ],
)
def test_the_documented_cases_pass(metadata: dict[str, Any]) -> None:
    """The guide's three cases, each part alone, and nothing at all."""
    assert _of(metadata) == {}


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_tables_are_objects(value: object) -> None:
    """Each level is told by its own name."""
    found = "must be an object"

    assert _of(value) == {_WHERE: found}
    for name in ("face2face", "edocument", "general"):
        assert _of({name: value}) == {f"{_WHERE}.{name}": found}
    for name in ("iin", "phone"):
        assert _document(**{name: value}) == {f"{_ENTRY}.{name}": found}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"flags": {}}, "provider_params.flags"),
        ({"api_key": "x"}, "provider_params.api_key"),
        ({"metadata": {"liveness": {}}}, f"{_WHERE}.liveness"),
        ({"metadata": {"face2face": {"photo2": ""}}}, f"{_WHERE}.face2face.photo2"),
        ({"metadata": {"general": {"other": 1}}}, f"{_WHERE}.general.other"),
        ({"metadata": {"edocument": {"name": {}}}}, f"{_ENTRY}.name"),
        ({"metadata": {"edocument": {"iin": {"val": ""}}}}, f"{_ENTRY}.iin.val"),
    ],
)
def test_what_the_guide_does_not_know_is_refused(
    params: dict[str, Any], field: str
) -> None:
    """A misspelt field would be dropped without a word."""
    assert _problems(params) == {field: "is not known here"}


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        ("", _BASE64),
        (None, _BASE64),
        (7, _BASE64),
        (["YQ=="], _BASE64),
        ("YQ=", _BASE64),
        ("YQ", _BASE64),
        ("YQ==\n", _BASE64),
        ("Y Q==", _BASE64),
        ("_-8=", _BASE64),
        ("data:;base64,YQ==", _BASE64),
        ("\u0430Q==", _BASE64),
        (base64.b64encode(b"x" * 32).decode(), "must be a photo of at most 31 bytes"),
        ("A" * 45, "must be a photo of at most 31 bytes"),
    ],
    ids=range(13),
)
def test_a_photo_is_plain_base64_of_a_bounded_size(
    photo: object, sentence: str
) -> None:
    """Other alphabets, line breaks, addresses of data, and too much are told apart."""
    found = _of({"face2face": {"photo1": photo}})

    assert found == {f"{_WHERE}.face2face.photo1": sentence}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "12345678901",
        "1234567890123",
        "12345678901a",
        "123456789012\n",
        123456789012,
        None,
        ["123456789012"],
        "\u0661" * 12,
        "123 456 789 012",
    ],
)
def test_an_iin_is_twelve_digits(value: object) -> None:
    """Of the alphabet's own digits, as a text."""
    found = _document(iin={"value": value})

    assert found == {f"{_ENTRY}.iin.value": "must be a text of 12 digits"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "123456",
        "+" + "1" * 16,
        "7701 1234567",
        "tel:77011234567",
        77011234567,
        None,
        ["77011234567"],
        "++77011234567",
    ],
)
def test_a_phone_is_a_number_for_everywhere(value: object) -> None:
    """Digits, and a plus before them if need be."""
    assert list(_document(phone={"value": value})) == [f"{_ENTRY}.phone.value"]


@pytest.mark.parametrize("value", ["true", 1, 0, None, []])
def test_what_is_true_or_false_is_nothing_else(value: object) -> None:
    """Both ``changeable``, and ``skip_input``."""
    found = _document(
        iin={"changeable": value}, phone={"changeable": value}, skip_input=value
    )

    assert found == dict.fromkeys(
        (
            f"{_ENTRY}.skip_input",
            f"{_ENTRY}.iin.changeable",
            f"{_ENTRY}.phone.changeable",
        ),
        "must be true or false",
    )


@pytest.mark.parametrize("name", ["iin", "phone"])
@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (None, ["changeable", "value"]),
        ({}, ["changeable", "value"]),
        ({"value": "123456789012"}, ["changeable"]),
        ({"value": "123456789012", "changeable": True}, ["changeable"]),
        ({"changeable": False}, ["value"]),
        ({"value": "", "changeable": False}, ["value"]),
    ],
)
def test_input_is_skipped_only_where_nothing_is_left_to_enter(
    name: str, entry: object, fields: list[str]
) -> None:
    """Both values, neither changeable; what is missing there means changeable."""
    whole = {"value": "123456789012", "changeable": False}
    document: dict[str, Any] = {"iin": whole, "phone": whole, "skip_input": True}
    if entry is None:
        del document[name]
    else:
        document[name] = entry

    assert sorted(_document(**document)) == [f"{_ENTRY}.{name}.{f}" for f in fields]


@pytest.mark.parametrize(
    "value",
    ["F2F", [], [1], ["f2f"], [""], ["F2F "], ["F" * 17], {}, None, ["A"] * 101],
)
def test_interchangeable_technologies_are_codes(value: object) -> None:
    """A list of them, at least one."""
    found = _of({"general": {"interchangeable_tech": value}})

    assert list(found) == [f"{_WHERE}.general.interchangeable_tech"]


@pytest.mark.parametrize("language", ["kk", "de", "", "RU", "ru'"])
def test_a_language_is_one_of_three(language: str) -> None:
    """The guide lists what is implemented."""
    found = _problems({}, language=language)

    assert found == {"language": "must be one of ru, en, kz"}


def test_every_wrong_field_is_told_at_once() -> None:
    """No problem hides another, and nothing personal is repeated anywhere."""
    marker = starts.MARKER
    request = starts.request(
        language="de",
        provider_params={
            "metadata": {
                "face2face": {"photo1": marker},
                "edocument": {
                    "iin": {"value": marker, "changeable": marker},
                    "phone": {"value": marker},
                    "skip_input": marker,
                },
                "general": {"interchangeable_tech": [marker]},
            },
            "unknown": marker,
        },
    )
    settings = biometric.Settings.model_validate(
        {"environment": "test", "flow_api_key": "k"}
    )
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        start_metadata.check(request, settings)

    assert sorted(caught.value.problems) == [
        "language",
        f"{_ENTRY}.iin.changeable",
        f"{_ENTRY}.iin.value",
        f"{_ENTRY}.phone.value",
        f"{_ENTRY}.skip_input",
        f"{_WHERE}.face2face.photo1",
        f"{_WHERE}.general.interchangeable_tech",
        "provider_params.unknown",
    ]
    found = "".join(traceback.format_exception(caught.value)) + repr(request)
    assert marker not in found + str(caught.value.problems)


def test_what_cannot_be_sent_is_refused() -> None:
    """Too much beside a photo is too much."""
    found = _problems({"metadata": {"general": {"x" * 20_000: 1}}})

    assert "provider_params" in found
