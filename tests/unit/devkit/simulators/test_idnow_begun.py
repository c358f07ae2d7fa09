"""The simulated IDnow and our begin: the person, the page, lost callbacks, errors."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from tests.support import starts
from worker import clock as clocks
from worker import errors, model
from worker.devkit import simulators
from worker.providers import idnow
from worker.providers.idnow import start

_KEY = "synthetic-api-key"
_BEGUN = simulators.Standing.BEGUN
_ROOT = "/api/v1/ihrebank/identifications"


class _Played:
    """A simulator that is served, and what begins and fetches there."""

    def __init__(self, base_url: str) -> None:
        settings = _settings(base_url=base_url)
        clock = clocks.SystemClock()
        self.beginner = start.SessionStarter("source", settings, clock)
        self.adapter = idnow.Adapter("source", settings, clock)
        self.http = aiohttp.ClientSession(base_url)

    async def begin(self, **changes: Any) -> model.StartedSession:  # noqa: ANN401 -- a request
        return await self.beginner.begin(starts.request(**changes))

    async def result(self, session_id: str) -> model.Result:
        key = model.SessionKey("source", session_id)
        answer = await self.adapter.fetch(key, session_id)
        return self.adapter.interpret(key, session_id, answer)

    async def does(self, session_id: str, **wish: object) -> dict[str, Any]:
        """Play the person over HTTP, as another process does."""
        path = f"/_sim/idnow/sessions/{session_id}/person"
        async with self.http.post(path, data=orjson.dumps(wish)) as response:
            assert response.status == 200
            document: dict[str, Any] = await response.json()
            return document


def _settings(**settings: object) -> idnow.Settings:
    given = {
        "environment": "test",
        "company_id": "ihrebank",
        "api_key": _KEY,
        "url_secrets": ["u" * 32],
        "reference_field": "custom1",
        "fetch_timeout": "300ms",
        "list_interval": "1ms",
        "base_url": "http://127.0.0.1:1",
    }
    return idnow.Settings.model_validate(given | settings)


@contextlib.asynccontextmanager
async def _played() -> AsyncIterator[tuple[Any, _Played]]:
    account = simulators.Account(source="source", settings=_settings())
    simulator = simulators.find("idnow").build(account)
    served = await simulators.serve(simulator)
    played = _Played(served.base_url)
    try:
        yield simulator, played
    finally:
        await played.http.close()
        await played.adapter.close()
        await played.beginner.close()
        await served.close()


async def test_a_begun_session_waits_for_its_person() -> None:
    """It stands in the list of pending ones, with no result and no callback."""
    async with _played() as (simulator, played):
        begun = await played.begin(provider_params={"custom2": "x"})
        held = simulator.held(begun.session_id)
        result = await played.result(begun.session_id)

    assert (held.standing, held.reference) == (_BEGUN, "customer-17")
    assert result.verdict.outcome is model.Outcome.PENDING
    assert result.verdict.reason is model.Reason.IN_PROGRESS
    assert result.reference == "customer-17"


@pytest.mark.parametrize(
    ("outcome", "lost"),
    [("approved", False), ("rejected", False), ("approved", True)],
)
async def test_a_person_finishes_once(outcome: str, lost: bool) -> None:  # noqa: FBT001 -- a case
    """Then there is a result with what start was told, and a callback or none."""
    async with _played() as (_, played):
        begun = await played.begin(provider_params={"custom2": "x"})
        scenario = {"outcome": outcome, "missing": lost}
        document = await played.does(begun.session_id, does="finish", scenario=scenario)
        result = await played.result(begun.session_id)
        path = f"/_sim/idnow/sessions/{begun.session_id}/person"
        async with played.http.post(path, data=b'{"does":"finish"}') as response:
            again = response.status

    assert result.verdict.outcome == outcome
    assert result.reference == "customer-17"
    assert len(document["callbacks"]) == (0 if lost else 1)
    assert document["truth"]["heard"] is not lost
    assert again == 409


async def test_who_abandons_leaves_a_session_without_an_end() -> None:
    """However often it is asked for."""
    async with _played() as (_, played):
        begun = await played.begin()
        document = await played.does(begun.session_id, does="abandon")
        results = [await played.result(begun.session_id) for _ in range(2)]

    assert document["callbacks"] == []
    assert {result.verdict.reason for result in results} == {model.Reason.IN_PROGRESS}


async def test_a_second_start_updates_until_it_is_over() -> None:
    """The same number: 200 and the new words, then 409."""
    async with _played() as (simulator, played):
        begun = await played.begin()
        again = await played.begin(reference="customer-18")
        reference = simulator.held(begun.session_id).reference
        await played.does(begun.session_id, does="finish")
        with pytest.raises(errors.InvalidBeginRequest) as caught:
            await played.begin()

    assert begun.session_id == again.session_id
    assert begun.details == again.details
    assert begun.warnings == ()
    assert again.warnings == (
        "IDnow says that it had this transaction, and has updated it",
    )
    assert reference == "customer-18"
    assert list(caught.value.problems) == ["Idempotency-Key"]


async def test_a_start_that_is_not_answered_has_begun_what_was_foretold() -> None:
    """Silence comes after the session; an error comes instead of it."""
    async with _played() as (simulator, played):
        wish = orjson.dumps({"begins": {"hang": 1, "errors": 1}})
        async with played.http.put("/_sim/idnow/dashboard", data=wish) as response:
            assert response.status == 200
        with pytest.raises(errors.ProviderTimeout):
            await played.begin()
        foretold = played.beginner.predict_session_id("b" * 43)
        assert simulator.held(foretold).standing is _BEGUN
        with pytest.raises(errors.ProviderFault):
            await played.begin(begin_id="c" * 43)
        assert len(simulator.sessions()) == 1


@pytest.mark.parametrize("mode", list(model.BeginMode))
async def test_the_page_is_where_the_begin_says(mode: model.BeginMode) -> None:
    """Both links open it; a press of a button ends the session."""
    async with _played() as (simulator, played):
        begun = await played.begin(mode=mode)
        address = begun.url or str(begun.embed).split('"')[1]
        async with played.http.get(address) as response:
            page = await response.text()
        async with played.http.post(
            address, data={"does": "reject", "lost": "yes"}
        ) as response:
            thanks = (response.status, await response.text())
        async with played.http.get(address) as response:
            over = response.status
        result = await played.result(begun.session_id)

    assert 'data-testid="approve"' in page
    assert thanks[0] == 200
    assert 'data-testid="done"' in thanks[1]
    assert over == 410
    assert result.verdict.outcome is model.Outcome.REJECTED
    assert simulator.truth(begun.session_id).heard is False


_DOCUMENTED = [
    ("T1", _KEY, b"{}", 201, None, None),
    ("T1", _KEY, b"", 201, None, None),
    ("T1", "another", b"{}", 401, "INVALID_LOGIN_TOKEN", None),
    ("T1", "", b"{}", 401, "INVALID_LOGIN_TOKEN", None),
    ("T.1", _KEY, b"{}", 400, "BAD_REQUEST", "transactionnumber"),
    ("T" * 256, _KEY, b"{}", 400, "BAD_REQUEST", "transactionnumber"),
    ("T1", _KEY, b"{", 400, "UNPARSEABLE_JSON", None),
    ("T1", _KEY, b"[]", 400, "UNPARSEABLE_JSON", None),
    ("T1", _KEY, b'{"nickname":"x"}', 400, "UNRECOGNIZED_FIELD", "nickname"),
    ("T1", _KEY, b'{"birthday":"20.12.1975"}', 400, "BAD_REQUEST", "birthday"),
    ("T1", _KEY, b'{"birthday":7}', 400, "BAD_REQUEST", "birthday"),
    ("T1", _KEY, b'{"country":"de"}', 400, "BAD_REQUEST", "country"),
    ("T1", _KEY, b'{"nationality":[]}', 400, "BAD_REQUEST", "nationality"),
    ("T1", _KEY, b'{"gender":"X"}', 400, "BAD_REQUEST", "gender"),
    ("T1", _KEY, b'{"gender":[]}', 400, "BAD_REQUEST", "gender"),
    ("T1", _KEY, b'{"firstname":7}', 400, "BAD_REQUEST", "firstname"),
    ("T1", _KEY, b'{"questions":[]}', 400, "BAD_REQUEST", "questions"),
    ("T1", _KEY, b'{"questions":{"a":1}}', 400, "BAD_REQUEST", "questions"),
    (
        "T1",
        _KEY,
        b'{"questions":{"a":{"value":true}}}',
        400,
        "BAD_REQUEST",
        "questions",
    ),
    ("T1", _KEY, b'{"questions":{"a":{"value":1}}}', 201, None, None),
]


@pytest.mark.parametrize(
    ("number", "key", "body", "status", "cause", "field"), _DOCUMENTED
)
async def test_start_checks_what_is_documented(
    number: str,
    key: str,
    body: bytes,
    status: int,
    cause: str | None,
    field: str | None,
) -> None:
    """Key, number, and every field by its type, with the documented error."""
    async with _played() as (simulator, played):
        path = f"{_ROOT}/{number}/start"
        headers = {"X-API-KEY": key}
        async with played.http.post(path, data=body, headers=headers) as response:
            document = orjson.loads(await response.read())
            assert status == response.status
        held = len(simulator.sessions())

    error = document.get("errors", [{}])[0]
    assert (error.get("cause"), error.get("key")) == (cause, field)
    assert held == (1 if status == 201 else 0)
