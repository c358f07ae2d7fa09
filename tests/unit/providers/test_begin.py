"""Rules for what a caller asks, and what a provider's refusal may tell."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import multidict
import orjson
import pytest

from tests.support import starts
from worker import clock as clocks
from worker import errors
from worker.providers import _http, _http_responses, _start, identomat

Serve = Callable[[Any], Awaitable[str]]
_FIELDS = {
    "metadata": "provider_params.metadata",
    "metadata.iin": "provider_params.metadata.iin",
    "metadata.iin.value": "provider_params.metadata.iin.value",
    "steps": "provider_params.steps",
}


def _answer(status: int, body: bytes, **headers: str) -> _http_responses.HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _http_responses.HttpResponse(
        status=status,
        headers=multidict.CIMultiDictProxy(multidict.CIMultiDict(named)),
        body=body,
        received_at=0,
    )


def _problems(judge: Callable[[_start.Problems], object]) -> dict[str, str]:
    problems = _start.Problems()
    judge(problems)
    try:
        problems.refuse()
    except errors.InvalidBeginRequest as refused:
        return refused.problems
    return {}


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (_start.boolean, [True, False], [0, 1, "true", None, []]),
        (
            _start.text("[a-z]{2}", "x"),
            ["en"],
            ["", "e", "eng", "en\n", "EN", "\u0435n", None, 7, ["en"], "a" * 5000],
        ),
        (_start.text("a*", "x"), ["", "a" * 4096], ["a" * 4097]),
        (
            _start.texts("[a-z]", "x"),
            [["a"], ["a"] * 100],
            [[], ["a"] * 101, ["a", "B"], ["a", None], "a", {"a": 1}, None],
        ),
        (_start.one_of("ru", "en"), ["ru", "en"], ["kz", "", None, 1, ["ru"], {}]),
        (_start.check_any, [None, [], {"a": 1}], []),
    ],
)
def test_rules_take_what_they_are_for(
    rule: _start.Rule, good: list[object], bad: list[object]
) -> None:
    """Each rule passes its own kind, and ends a sentence about any other."""
    assert [rule(value) for value in good] == [None] * len(good)
    assert [value for value in bad if not str(rule(value)).startswith("must ")] == []


def test_every_wrong_field_is_told_at_once_with_its_first_sentence() -> None:
    """A field has one sentence, and no field hides another."""

    def judge(problems: _start.Problems) -> None:
        rules = {"a": _start.boolean, "b": _start.boolean, "c": _start.boolean}
        problems.closed("p", {"a": 1, "b": True, "c": "x", "extra": 1}, rules)
        problems.add("p.a", "another")

    wrong = "must be true or false"
    result = {"p.a": wrong, "p.c": wrong, "p.extra": "is not known here"}
    assert _problems(judge) == result


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_what_is_no_object_is_told(value: object) -> None:
    """Instead of a table anything else is a problem of the table itself."""
    result = _problems(lambda problems: problems.closed("p", value, {}))

    assert result == {"p": "must be an object"}


@pytest.mark.parametrize(
    "name", ["900101300123", "+77011234567", "ann@example.com", "a b", "", "x" * 60]
)
def test_the_name_of_a_stranger_is_not_repeated_if_it_may_be_personal(
    name: str,
) -> None:
    """A number or an address in the place of a name stays with the caller."""
    result = _problems(lambda problems: problems.closed("p", {name: 1}, {}))

    assert result == {"p": "holds a name that is not known here"}


@pytest.mark.parametrize(
    ("params", "result"),
    [
        ({"a": "x" * 100}, "must be at most 64 bytes of JSON"),
        ({"a": {1, 2}}, "must be plain JSON"),
        ({"a": "\ud800"}, "must be plain JSON"),
        ({"a": 1 << 70}, "must be plain JSON"),
        ({"a": "x"}, None),
    ],
    ids=range(5),
)
def test_parameters_are_json_of_a_bounded_size(
    params: dict[str, Any], result: str | None
) -> None:
    """What cannot be sent as it is is refused, and how much there may be is said."""
    found = _problems(lambda problems: problems.bounded(params, 64))

    assert found == ({} if result is None else {"provider_params": result})


def test_nothing_wrong_refuses_nothing() -> None:
    """No problem, no error."""
    assert _problems(lambda problems: problems.check("p", "", _start.check_any)) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://w.example/?t=a&b", "https://w.example/?t=a&amp;b"),
        ('"><script>', "&quot;&gt;&lt;script&gt;"),
        ("' onload='x", "&#x27; onload=&#x27;x"),
    ],
)
def test_an_attribute_cannot_be_left(text: str, expected: str) -> None:
    """Quotes, brackets and ampersands stand escaped."""
    assert expected == _start.attribute(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3fa85f64-5717", "'3fa85f64-5717'"),
        ("'</script>\\", "'\\u0027\\u003c/script\\u003e\\u005c'"),
        ("\n\u2028\U0001f600", "'\\u000a\\u2028\\ud83d\\ude00'"),
        ("\ud800", "'\\ud800'"),
        ("`${x}`", "'\\u0060\\u0024\\u007bx\\u007d\\u0060'"),
    ],
    ids=range(5),
)
def test_a_text_of_a_script_cannot_be_left(text: str, expected: str) -> None:
    """Neither the quotes nor the script element end early."""
    assert expected == _start.script_text(text)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"metadata": {"iin": {"value": ["bad"]}}}, ["metadata.iin.value"]),
        ({"metadata": {"iin": ["bad"]}, "x": 1}, ["metadata.iin"]),
        ({"metadata": ["bad"]}, ["metadata"]),
        ({"errors": {"metadata": {"iin": "bad"}}}, ["metadata.iin"]),
        ({"error": {"field": "metadata.iin"}}, ["metadata.iin"]),
        ({"detail": [{"loc": ["body", "steps", 0, "type"]}]}, ["steps"]),
        ({"errors": [{"key": "steps"}, {"key": "metadata"}]}, ["metadata", "steps"]),
        ([{"field": "steps.0.flags"}], ["steps"]),
        ({"steps": "x", "metadata": {"other": 1}}, ["metadata", "steps"]),
    ],
)
@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_refusal_names_fields_that_were_sent(
    status: int, document: object, named: list[str]
) -> None:
    """However an error document names them, ours are found and nothing else is."""
    error = _start.refusal(_answer(status, orjson.dumps(document)), _FIELDS)

    assert isinstance(error, errors.InvalidBeginRequest)
    result = dict.fromkeys((_FIELDS[n] for n in named), "is refused by the provider")
    assert result == error.problems


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b"null",
        b'"steps"',
        b'{"detail": "steps are wrong"}',
        b'{"message": "steps"}',
        b'{"field": null, "loc": 7, "key": {}}',
        b'{"api_key": ["is wrong"]}',
        b'{"error":' * 1000 + b"1" + b"}" * 1000,
        b"[" * 900 + b"]" * 900,
    ],
    ids=range(12),
)
def test_a_refusal_that_names_no_field_is_a_bad_answer(body: bytes) -> None:
    """Free text, our own key and nonsense are not the caller's affair."""
    error = _start.refusal(_answer(400, body), _FIELDS)

    assert isinstance(error, errors.InvalidResponse)
    assert (error.detail, error.answered) == ("400", True)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "account_refused"),
        (403, "account_refused"),
        (404, "bad_answer"),
        (429, "rate_limited"),
        (503, "provider_fault"),
    ],
)
def test_other_statuses_are_no_refusal_of_a_field(status: int, reason: str) -> None:
    """Even where such an answer names a field, it is not about the request."""
    body = b'{"steps": ["bad"]}'
    error = _start.refusal(_answer(status, body, Retry_After="9"), _FIELDS)

    assert isinstance(error, errors.FetchError)
    assert (error.reason, error.answered) == (reason, True)


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_fault_leaves_it_in_doubt(status: int) -> None:
    """Whoever answers so may have made the session first."""
    error = _start.refusal(_answer(status, b"{}"), _FIELDS)

    assert isinstance(error, errors.BeginInDoubt)
    assert (error.detail, error.answered) == (str(status), False)


def test_a_refusal_repeats_nothing_of_the_answer() -> None:
    """Neither values nor words of a provider get into the error."""
    marker = starts.MARKER
    document = {"steps": [marker], marker: marker, "metadata": {marker: marker}}
    error = _start.refusal(_answer(400, orjson.dumps(document)), _FIELDS)

    assert isinstance(error, errors.InvalidBeginRequest)
    result = "".join(traceback.format_exception(error)) + repr(error)
    assert marker not in result + repr(error.problems)


def _client(base_url: str, clock: clocks.Clock, **settings: object) -> _http.Http:
    given = {"environment": "test", "company_key": "k", "base_url": base_url}
    return _start.http(identomat.Settings.model_validate(given | settings), clock)


@pytest.mark.parametrize(
    ("answer", "kind", "detail", "answered"),
    [
        (
            starts.Provider(body=b"x" * 65_537),
            errors.BeginInDoubt,
            "too_large",
            False,
        ),
        (
            starts.Provider(status=302, headers={"Location": "/"}),
            errors.InvalidResponse,
            "redirect",
            True,
        ),
    ],
    ids=range(2),
)
async def test_an_answer_that_cannot_be_read_leaves_the_begin_in_doubt(
    serve: Serve,
    clock: clocks.Clock,
    answer: starts.Provider,
    kind: type[errors.FetchError],
    detail: str,
    answered: bool,  # noqa: FBT001 -- a table
) -> None:
    """Too much may have begun something; a redirect has not, and is not followed."""
    http = _client(await serve(answer.answer), clock)
    with pytest.raises(errors.InvalidResponse) as caught:
        await _start.send(http, "/begin/", b"{}", {})
    await http.close()

    assert (kind, detail) == (type(caught.value), caught.value.detail)
    assert answered == caught.value.answered
    assert caught.value.__context__ is None
    assert len(answer.calls) == 1


async def test_a_begin_is_never_repeated_in_place(clock: clocks.Clock) -> None:
    """Nobody listens: one try, no wait, and it is said that nothing was sent."""
    http = _client("http://127.0.0.1:1", clock)
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await _start.send(http, "/begin/", b"{}", {})
    await http.close()
    assert caught.value.detail == _http_responses.NOT_CONNECTED
    assert clock.slept == []  # type: ignore[attr-defined]  # -- the hand clock of conftest
