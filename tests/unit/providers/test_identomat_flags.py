"""What may be asked of Identomat, and every way to ask for it wrongly."""

import traceback
from typing import Any

import pytest

from tests.support import starts
from worker import errors, model
from worker.providers.identomat import start_flags

_BOOLEANS = start_flags._BOOLEANS
_LISTS = ("document_types", "document_countries", "general_document_types")


def _problems(request: model.BeginRequest) -> dict[str, str]:
    try:
        start_flags.checked(request)
    except errors.InvalidBeginRequest as refused:
        return refused.problems
    return {}


def _of(params: dict[str, Any], **changes: object) -> dict[str, str]:
    return _problems(starts.request(provider_params=params, **changes))


def test_the_documented_flags_are_all_taken() -> None:
    """Each flag of the guide with a value of its type, and no warning."""
    flags: dict[str, Any] = dict.fromkeys(_BOOLEANS, True)
    flags |= {
        "language": "uk",
        "document_types": ["id", "passport", "driver_license", "residence_license"],
        "document_countries": ["USA", "DEU", "ITA"],
        "general_document_types": ["bank_statement", "utility_bill", "drivers_license"],
    }

    assert len(flags) == 21
    assert start_flags.checked(starts.request(provider_params={"flags": flags})) == ()


@pytest.mark.parametrize("flag", _BOOLEANS)
@pytest.mark.parametrize("value", ["true", 1, 0, None, [], {}])
def test_a_flag_that_is_true_or_false_is_nothing_else(flag: str, value: object) -> None:
    """Words and numbers for true are refused by the name of the flag."""
    found = _of({"flags": {flag: value}})

    assert found == {f"provider_params.flags.{flag}": "must be true or false"}


@pytest.mark.parametrize("flag", _LISTS)
@pytest.mark.parametrize(
    "value", ["id", [], [1], [None], [["id"]], ["a b"], ["x" * 65], ["id"] * 101, {}]
)
def test_a_flag_that_is_a_list_is_nothing_else(flag: str, value: object) -> None:
    """A bare word, an empty list, numbers, and too much are refused."""
    assert list(_of({"flags": {flag: value}})) == [f"provider_params.flags.{flag}"]


@pytest.mark.parametrize("value", ["", "e", "english", "EN", "en_US", 1, None, ["en"]])
def test_a_language_is_a_short_code(value: Any) -> None:  # noqa: ANN401 -- anything
    """In the flags and in the request alike."""
    found = _of({"flags": {"language": value}})
    assert found == {"provider_params.flags.language": "must be a language such as en"}
    if value is not None:
        assert _of({}, language=value) == {"language": "must be a language such as en"}


def test_a_language_is_given_once() -> None:
    """Two could differ."""
    found = _of({"flags": {"language": "en"}}, language="en")

    assert found == {
        "provider_params.flags.language": "is given twice: language says it too"
    }


def test_nobody_else_is_sent_the_token() -> None:
    """The return address is ours: one in the flags would be given the bearer."""
    found = _of({"flags": {"return_url": "https://elsewhere.example"}})

    assert list(found) == ["provider_params.flags.return_url"]
    assert "elsewhere" not in str(found)


_AWAY = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"steps": [{"return_url": _AWAY}]}, "steps"),
        ({"steps": ["liveness", {"type": "a", "returnUrl": _AWAY}]}, "steps"),
        ({"steps": [{"flags": [{"deep": {"return-url": _AWAY}}]}]}, "steps"),
        ({"steps": [{"RETURN_URI": _AWAY}]}, "steps"),
        ({"flags": {"returnurl": _AWAY}}, "flags"),
        ({"flags": {"new": {"return_url": _AWAY}}}, "flags"),
        ({"flags": {"new": [[{"returnURL": _AWAY}]]}}, "flags"),
    ],
)
def test_nobody_else_is_sent_the_token_by_a_step(
    params: dict[str, Any], field: str
) -> None:
    """A return address is refused wherever it stands, however it is spelt."""
    found = _of(params)

    assert f"provider_params.{field}.return_url" in found
    assert "elsewhere" not in str(found)


def test_a_redirected_person_needs_a_way_back() -> None:
    """Without a return address Identomat would take it for an iframe."""
    found = _of({}, return_address=None)

    assert found == {"return_url": "is needed for the person to come back"}


@pytest.mark.parametrize(
    "value", ["", "a b", "x" * 129, "a/b", "a\n", 7, None, ["a"], {}]
)
def test_a_configuration_is_named_by_a_plain_text(value: object) -> None:
    """Wrong in type, length and letters."""
    assert list(_of({"config_id": value})) == ["provider_params.config_id"]


@pytest.mark.parametrize("value", [{}, "liveness", [], ["liveness"] * 51, None, 1])
def test_steps_are_a_list(value: object) -> None:
    """Neither a bare name nor an empty list, nor fifty-one of them."""
    found = _of({"steps": value})

    assert found == {"provider_params.steps": "must be a list of 1 to 50 steps"}


@pytest.mark.parametrize("step", ["", "Liveness", "a b", {}, [], None, 1, True])
def test_a_step_is_a_name_or_an_object(step: object) -> None:
    """What is inside of an object is the vendor's affair, an empty one is nobody's."""
    found = _of({"steps": ["liveness", step]})

    assert found == {"provider_params.steps": "must hold names or objects only"}


@pytest.mark.parametrize("value", [[], "liveness", None, 1])
def test_flags_are_an_object(value: object) -> None:
    """Anything else is told, by name."""
    assert _of({"flags": value}) == {"provider_params.flags": "must be an object"}


def test_there_is_one_way_to_say_what_is_to_be_done() -> None:
    """A configuration has its own flags and steps."""
    found = _of({"config_id": "a", "flags": {}, "steps": ["liveness"]})

    assert list(found) == ["provider_params.flags", "provider_params.steps"]


def test_every_wrong_field_is_told_at_once() -> None:
    """No problem hides another, and no sentence holds a value."""
    marker = starts.MARKER
    request = starts.request(
        return_address=None,
        language="",
        provider_params={
            "config_id": f"{marker} {marker}",
            "flags": {
                "liveness": marker,
                "document_types": marker,
                "return_url": marker,
            },
            "steps": marker,
            "stepps": marker,
        },
    )
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        start_flags.checked(request)

    assert sorted(caught.value.problems) == [
        "language",
        "provider_params.config_id",
        "provider_params.flags",
        "provider_params.flags.document_types",
        "provider_params.flags.liveness",
        "provider_params.flags.return_url",
        "provider_params.stepps",
        "provider_params.steps",
        "return_url",
    ]
    found = "".join(traceback.format_exception(caught.value)) + repr(request)
    assert marker not in found + str(caught.value.problems)


def test_an_unknown_flag_passes_with_a_warning() -> None:
    """The list is cut short: what is beyond it may be right, and is said."""
    params = {
        "flags": {
            "brand_new": {"a": [1]},
            "liveness": True,
            "another": starts.MARKER,
        }
    }
    warnings = start_flags.checked(starts.request(provider_params=params))

    assert warnings == (
        "provider_params.flags.another is no flag known here: passed on unchecked",
        "provider_params.flags.brand_new is no flag known here: passed on unchecked",
    )


@pytest.mark.parametrize("name", ["900101300123", "Name", "a-b", "a b", "x" * 65, ""])
def test_an_unknown_flag_has_the_name_of_a_flag(name: str) -> None:
    """What looks like none is refused and not repeated."""
    found = _of({"flags": {name: True}})

    expected = "must have names of lower-case letters, digits and _"
    assert found == {"provider_params.flags": expected}


def test_doubled_steps_are_warned_of() -> None:
    """Who turns off what the guide asks for beside steps is told."""
    params = {
        "steps": ["liveness"],
        "flags": {"skip_face": False, "skip_document": True},
    }
    warnings = start_flags.checked(starts.request(provider_params=params))

    (warning,) = warnings
    assert warning.startswith("provider_params.flags.skip_face should be true")


def test_a_flag_that_does_nothing_is_warned_of() -> None:
    """General documents need a way to be given."""
    types = {"general_document_types": ["utility_bill"]}
    warned = [
        len(start_flags.checked(starts.request(provider_params={"flags": flags})))
        for flags in (types, types | {"allow_general_document_upload": True})
    ]

    assert warned == [1, 0]


@pytest.mark.parametrize(
    "params",
    [{"flags": {"a": "x" * 65_536}}, {"steps": [{"a": "\ud800"}]}],
    ids=range(2),
)
def test_what_cannot_be_sent_is_refused(params: dict[str, Any]) -> None:
    """Too much, and what is no JSON."""
    assert list(_of(params)) == ["provider_params"]
