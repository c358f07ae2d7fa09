"""Identomat and IDnow: the adapters and the simulators understand each other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from worker import clock as clocks
from worker import errors, model, ports, providers, signing
from worker.devkit import simulators
from worker.providers import identomat

_SETTINGS: dict[str, dict[str, Any]] = {
    "identomat": {
        "environment": "test",
        "company_key": "synthetic-company-key",
        "secret_key": "synthetic-secret-key",
        "callback_api_keys": ["synthetic-callback-key"],
        "url_secrets": ["u" * 32],
        "fetch_timeout": "200ms",
    },
    "idnow": {
        "environment": "test",
        "company_id": "ihrebank",
        "api_key": "synthetic-api-key",
        "url_secrets": ["u" * 32],
        "reference_field": "custom1",
        "fetch_timeout": "200ms",
    },
}


@contextlib.asynccontextmanager
async def _played(
    name: str, wrong: dict[str, str] | None = None, **settings: object
) -> AsyncIterator[tuple[Any, ports.Provider]]:
    """Serve the simulator and make its adapter; *wrong* is for the adapter only."""
    entry = providers.REGISTRY[name]
    given = {"provider": name} | _SETTINGS[name] | settings
    theirs = entry.settings_type.model_validate(given)
    simulator = simulators.find(name).build(
        simulators.Account(source="source", settings=theirs)
    )
    served = await simulators.serve(simulator)
    ours = given | {"base_url": served.base_url} | (wrong or {})
    checked = entry.settings_type.model_validate(ours)
    adapter = entry.build("source", checked, clocks.SystemClock())
    yield simulator, adapter
    await adapter.close()
    await served.close()


async def _result(
    adapter: ports.Provider, session_id: str
) -> model.Result | errors.FetchError:
    key = model.SessionKey("source", session_id.lower())
    try:
        answer = await adapter.fetch(key, session_id, fresh_since=0)
        return adapter.interpret(key, session_id, answer)
    except errors.FetchError as error:
        return error


def _verified(document: dict[str, Any]) -> model.VerifiedCallback:
    return model.VerifiedCallback(
        source="source", document=document, query={}, digest="", received_at=0
    )


_BOTH = pytest.mark.parametrize("name", ["identomat", "idnow"])


@_BOTH
@pytest.mark.parametrize("outcome", list(model.Outcome))
async def test_each_outcome_is_understood(name: str, outcome: model.Outcome) -> None:
    """What the simulator calls the truth is what the adapter makes of it."""
    async with _played(name) as (simulator, adapter):
        session_id = simulator.add(simulators.Scenario(outcome=outcome))
        result = await _result(adapter, session_id)
        truth = simulator.truth(session_id)

    assert isinstance(result, model.Result)
    assert result.verdict.outcome is outcome
    assert result.verdict.provider_status == truth.provider_status
    assert result.alarms == ()


@_BOTH
async def test_an_unknown_word_is_understood_as_such(name: str) -> None:
    """A new word is pending, and the truth says so."""
    async with _played(name) as (simulator, adapter):
        session_id = simulator.add(simulators.Scenario(unknown_word=True))
        result = await _result(adapter, session_id)
        truth = simulator.truth(session_id)

    assert isinstance(result, model.Result)
    assert (result.verdict.outcome, "unlisted") == (
        truth.outcome,
        truth.provider_status,
    )
    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT


@pytest.mark.parametrize(
    ("name", "early"),
    [("identomat", errors.NotReady), ("idnow", errors.SessionNotFound)],
)
async def test_a_course_is_run_through(
    name: str, early: type[errors.FetchError]
) -> None:
    """Silence, faults, not ready, preliminary and the end, one for each call."""
    scenario = simulators.Scenario(
        hang=1, errors=1, retry_after="7", not_ready=1, pending_first=1
    )
    async with _played(name) as (simulator, adapter):
        session_id = simulator.add(scenario)
        results = [await _result(adapter, session_id) for _ in range(5)]

    hung, faulty, unready, pending, ended = results
    assert type(hung) is errors.ProviderTimeout
    assert type(faulty) is errors.ProviderFault
    assert faulty.retry_after_ms == 7_000
    assert type(unready) is early
    assert isinstance(pending, model.Result)
    assert pending.verdict.outcome is model.Outcome.PENDING
    assert isinstance(ended, model.Result)
    assert ended.verdict.outcome is model.Outcome.APPROVED


@_BOTH
async def test_unknown_and_denied_sessions_are_denied(name: str) -> None:
    """Who was never added, and who is to be denied."""
    async with _played(name) as (simulator, adapter):
        denied = simulator.add(simulators.Scenario(denied=True))
        results = [await _result(adapter, one) for one in (denied, "a" * 40)]
    assert [type(result) for result in results] == [errors.SessionNotFound] * 2


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("identomat", {"company_key": "another"}),
        ("identomat", {"secret_key": "another"}),
        ("idnow", {"api_key": "another"}),
        ("idnow", {"company_id": "another"}),
    ],
)
async def test_wrong_credentials_are_refused(name: str, wrong: dict[str, str]) -> None:
    """The simulators check what the providers check."""
    async with _played(name, wrong) as (simulator, adapter):
        result = await _result(adapter, simulator.add(simulators.Scenario()))

    assert type(result) is errors.ProviderAuthFailed


async def test_without_a_secret_key_nothing_is_signed() -> None:
    """The signature is a matter of the account."""
    async with _played("identomat", secret_key=None) as (simulator, adapter):
        result = await _result(adapter, simulator.add(simulators.Scenario()))

    assert isinstance(result, model.Result)


@_BOTH
@pytest.mark.parametrize("forged", [False, True])
async def test_callbacks_wake_and_forged_ones_prove_nothing(
    name: str, *, forged: bool
) -> None:
    """The URL token is the account's, or another one; the body names the session."""
    async with _played(name) as (simulator, adapter):
        scenario = simulators.Scenario(pending_first=1, bad_signature=forged)
        session_id = simulator.add(scenario, reference="ref-1")
        callbacks = simulator.callbacks(session_id)
        truth = simulator.truth(session_id)
        document = orjson.loads(callbacks[-1].body)
        key = document.pop("callbackApiKey", None)
        wake = adapter.normalise(_verified(document))

    assert len(callbacks) == 2
    assert isinstance(wake, model.WakeUp)
    assert wake.session_id == session_id
    token = signing.derive_url_token(b"u" * 32, "test", "source")
    genuine = callbacks[0].path == f"/webhooks/source/{token}"
    assert genuine is not forged
    assert truth.heard is not forged
    if name == "identomat":
        assert (key == "synthetic-callback-key") is not forged


async def test_identomat_signs_callbacks_where_agreed() -> None:
    """With ``hmac_body`` the header is over the very body."""
    async with _played(
        "identomat",
        authenticate=["body_key", "hmac_body"],
        hmac_secrets=["h" * 32],
    ) as (simulator, _):
        callback = simulator.callbacks(simulator.add(simulators.Scenario()))[0]

    scheme = identomat.SIGNATURE
    shown = [callback.headers["Authorization"]]
    assert scheme.match([b"h" * 32], shown, callback.body) == 0
    assert callback.path == "/webhooks/source"


async def test_identomat_asks_to_deliver_codes() -> None:
    """The documented message is one for the adapter too."""
    async with _played("identomat") as (simulator, adapter):
        sent = simulator.message(simulator.add(simulators.Scenario()))
        normalised = adapter.normalise(_verified(orjson.loads(sent.body)))

    assert isinstance(normalised, model.ForwardedMessage)


@pytest.mark.parametrize(
    ("status", "outcome", "origin"),
    [
        ("CANCELED", model.Outcome.REJECTED, "cancelled"),
        ("ABORTED", model.Outcome.PENDING, "aborted"),
    ],
)
async def test_idnow_tells_of_what_ended_badly_in_lists(
    status: str, outcome: model.Outcome, origin: str
) -> None:
    """No single result, an entry in its list, with reason and reference."""
    scenario = simulators.Scenario(
        outcome=outcome, status=status, reason="DATA_ID_EXPIRED"
    )
    async with _played("idnow") as (simulator, adapter):
        session_id = simulator.add(scenario, "Tx-1", reference="ref-1")
        key = model.SessionKey("source", "tx-1")
        answer = await adapter.fetch(key, session_id)
        result = adapter.interpret(key, session_id, answer)

    assert answer.origin == origin
    assert result.verdict.outcome is outcome
    assert result.verdict.provider_reason == "DATA_ID_EXPIRED"
    assert result.reference == "ref-1"
    assert (simulator.logins, simulator.list_calls) == (1, 3)


async def test_idnow_lets_tokens_die() -> None:
    """After that the adapter logs in once more."""
    async with _played("idnow") as (simulator, adapter):
        session_id = simulator.add(simulators.Scenario())
        await _result(adapter, session_id)
        simulator.expire_tokens()
        results = await asyncio.gather(*(_result(adapter, session_id) for _ in "ab"))

    assert all(isinstance(result, model.Result) for result in results)
    assert simulator.logins == 2


async def test_idnow_calls_back_by_get_where_configured() -> None:
    """Without a body the number stands in the query."""
    async with _played("idnow", methods=["GET"], session_id_query="tx") as (
        simulator,
        _,
    ):
        callback = simulator.callbacks(simulator.add(simulators.Scenario(), "T1"))[0]

    assert (callback.method, callback.body) == ("GET", b"")
    assert callback.path.endswith("?tx=T1")


@pytest.mark.parametrize(
    ("key", "expected"), [("synthetic-api-key", [201, 200]), ("x", [401, 401])]
)
async def test_idnow_makes_transactions(key: str, expected: list[int]) -> None:
    """Create and update, with the API key in its header."""
    async with _played("idnow") as (simulator, _), aiohttp.ClientSession() as http:
        served = await simulators.serve(simulator)
        url = f"{served.base_url}/api/v1/ihrebank/identifications/T1/start"
        statuses = []
        for _again in range(2):
            async with http.post(url, headers={"X-API-KEY": key}) as response:
                statuses.append(response.status)
        await served.close()

    assert statuses == expected


@pytest.mark.parametrize("how", ["json", "data", "params"])
async def test_identomat_takes_arguments_in_three_ways(how: str) -> None:
    """A JSON body, a form or a query; the answer is the bare token."""
    async with (
        _played("identomat", secret_key=None) as (simulator, _),
        aiohttp.ClientSession() as http,
    ):
        served = await simulators.serve(simulator)
        given: Any = {how: {"company_key": "synthetic-company-key"}}
        url = f"{served.base_url}/external-api/begin/"
        async with http.post(url, **given) as response:
            token = orjson.loads(await response.read())
        await served.close()

    assert simulator.truth(token).outcome is model.Outcome.APPROVED
