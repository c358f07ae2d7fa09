"""IDnow: what a caller may say of a person, and what is refused by its name."""

from typing import Any

import pytest

from worker import errors
from worker.providers import _start
from worker.providers.idnow import start_parameters

_GOOD: dict[str, list[Any]] = {
    "birthday": ["1975-12-20", "1900-01-01", "2024-02-29"],
    "country": ["DE"],
    "nationality": ["GE"],
    "gender": ["MALE", "FEMALE"],
    "email": ["sampleuser@example.com", "a@b"],
    "mobilephone": ["0151 23411232", "+49176102030123", "+995 (32) 2-12/34.56"],
    "questions": [
        {},
        {"a": {"value": ""}, "b.c-d_9": {"value": -(2**53) + 1}},
        {"a": {"value": "two\nlines\tand\r\nmore"}},
        {"a": {"value": "x" * 1000}},
        {f"q{place}": {"value": 0} for place in range(100)},
    ],
}
_LINES: tuple[str, ...] = (
    "birthplace",
    "birthname",
    "city",
    "firstname",
    "lastname",
    "street",
)
_LINES += ("streetnumber", "title", "zipcode", "trackingid")
_LINES += tuple(f"custom{place}" for place in range(1, 6))

_NO_LINES: list[Any] = [None, True, 7, 1.5, [], {}, "", " ", "a" * 256]
_NO_LINES += ["a\n", "a\0b", "\ud800", "a\u2028b", "\u202eb"]
_NO_TEXTS: list[Any] = [None, True, 7, [], {}, ""]
_BAD: dict[str, list[Any]] = {
    "birthday": [
        *_NO_TEXTS,
        *("1975-13-20", "2023-02-29", "1899-12-31", "75-12-20", "1975-12-20 "),
        *("19751220", "1975-W51-6", "\u0661975-12-20", "1975-12-20T00:00:00Z"),
    ],
    "country": [*_NO_TEXTS, "de", "DEU", "D", "DE\n", "\uff24\uff25"],
    "nationality": [*_NO_TEXTS, "De", "276"],
    "gender": [*_NO_TEXTS, "male", "M", "OTHER"],
    "email": [*_NO_TEXTS, "a", "@b", "a@", "a@b@c", "a b@c", f"{'a' * 65}@b", "a\n@b"],
    "mobilephone": [
        *_NO_TEXTS,
        "0151",
        "call me",
        "0" * 31,
        "+",
        "0151;ext=1",
        "1\n234",
    ],
    "questions": [
        *[None, True, 7, "a", [], [{"value": 1}]],
        {f"q{place}": {"value": 0} for place in range(101)},
    ],
}


def _refused(
    params: dict[str, Any],
    reserved: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
) -> dict[str, str]:
    problems = _start.Problems()
    start_parameters.check(problems, params, reserved=reserved, extra=extra)
    try:
        problems.refuse()
    except errors.InvalidBeginRequest as refused:
        return refused.problems
    return {}


def _cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{ascii(value)[:30]}")
        for name, values in table.items()
        for value in values
    ]


@pytest.mark.parametrize(("name", "value"), _cases(_GOOD))
def test_what_is_documented_may_be_sent(name: str, value: object) -> None:
    """Every documented field takes what the documentation shows, up to its bounds."""
    assert _refused({name: value}) == {}


@pytest.mark.parametrize("name", _LINES)
def test_lines_of_any_script_may_be_sent(name: str) -> None:
    """Names and places are texts of one line, in whatever letters."""
    for value in ("a", "a" * 255, "München", "თბილისი", "O'Neill-Müller jr."):
        assert _refused({name: value}) == {}


@pytest.mark.parametrize("name", _LINES)
@pytest.mark.parametrize(
    "value", [pytest.param(v, id=ascii(v)[:20]) for v in _NO_LINES]
)
def test_what_is_no_line_is_refused(name: str, value: object) -> None:
    """Of another type, empty, too long, or with what moves the pen."""
    assert f"provider_params.{name}" in _refused({name: value})


@pytest.mark.parametrize(("name", "value"), _cases(_BAD))
def test_what_is_wrong_is_refused_by_its_name(name: str, value: object) -> None:
    """Type, length, alphabet, calendar: the field is named."""
    assert list(_refused({name: value})) == [f"provider_params.{name}"]


@pytest.mark.parametrize(
    "answer",
    [
        *(None, 1, "x", [], {}, {"value": None}, {"value": True}, {"value": 1.5}),
        *({"value": []}, {"value": 2**53}, {"value": -(2**53)}),
        *({"value": "x" * 1001}, {"value": "\0"}, {"value": "\ud800"}),
        *({"value": 1, "label": "x"}, {"Value": 1}),
    ],
)
def test_a_wrong_answer_is_refused_by_its_question(answer: object) -> None:
    """An object with a text or an integer as value; the others are left alone."""
    asked = {"good": {"value": 1}, "bad": answer}
    found = _refused({"questions": asked})
    assert "provider_params.questions.bad" in found
    assert "provider_params.questions.good" not in found


@pytest.mark.parametrize(
    "key",
    ["", "a b", "a/b", "\u00e4", "a\n", "x" * 101, "+49 151 23411232", "900101300123"],
)
def test_a_question_of_no_plain_name_is_not_repeated(key: str) -> None:
    """What stands where a key should may be anything, somebody's number too."""
    found = _refused({"questions": {key: {"value": 1}}})
    assert list(found) == ["provider_params.questions"]
    assert not key or key not in str(found)


def test_everything_wrong_is_told_at_once() -> None:
    """Not one after the other, and no value is repeated."""
    found = _refused(
        {
            "firstname": 7,
            "birthday": "planted-1",
            "gender": "planted-2",
            "questions": {"q": {"value": "planted-3", "planted-4": 1}},
            "nickname": "planted-5",
            "planted 6": 1,
            "custom1": "planted-7",
        },
        reserved=("custom1",),
    )
    assert sorted(found) == [
        "provider_params",
        *(f"provider_params.{name}" for name in ("birthday", "custom1", "firstname")),
        *(f"provider_params.{name}" for name in ("gender", "nickname", "questions.q")),
    ]
    assert "planted" not in str(found)


def test_an_accounts_own_fields_are_passed_if_they_are_listed() -> None:
    """Texts, integers and truth values; a documented field keeps its own rule."""
    extra = ("pin", "birthday")
    good: list[Any] = ["x", 0, True, 2**53 - 1]
    for value in good:
        assert _refused({"pin": value}, extra=extra) == {}
    bad: list[Any] = [None, [], {}, 1.5, 2**53, "", "a\n"]
    for value in bad:
        assert list(_refused({"pin": value}, extra=extra)) == ["provider_params.pin"]
    assert list(_refused({"pin": 1})) == ["provider_params.pin"]
    assert list(_refused({"birthday": True}, extra=extra))


def test_all_of_it_is_bounded() -> None:
    """A hundred long answers are too many bytes."""
    asked = {f"q{place}": {"value": "x" * 1000} for place in range(70)}
    assert list(_refused({"questions": asked})) == ["provider_params"]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("birthday", "provider_params.birthday"),
        ("questions", "provider_params.questions"),
        ("q1", "provider_params.questions.q1"),
        ("questions.q1", "provider_params.questions.q1"),
        ("lastname", None),
        ("q2", None),
        ("", None),
        (None, None),
        (7, None),
        (["birthday"], None),
    ],
)
def test_only_what_was_sent_is_named(key: object, field: str | None) -> None:
    """A provider's word is repeated only where it is one of the caller's own."""
    params = {"birthday": "x", "questions": {"q1": {"value": 1}}}
    assert field == start_parameters.named(key, params)
