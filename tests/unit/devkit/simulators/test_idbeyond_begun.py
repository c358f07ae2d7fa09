"""The simulated id beyond and our begin: the person, the page, the callbacks."""

import contextlib
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from tests.support import adapters, starts
from worker import clock as clocks
from worker import model
from worker.devkit import simulators
from worker.providers import idbeyond
from worker.providers.idbeyond import start

_KEY = "sk_test_synthetic"
_SECRET = "synthetic-webhook-secret"
_CREATE = "/api/verification/sessions"
_BEARER = {"Authorization": f"Bearer {_KEY}"}
_RETURN = "https://kyc.example.com/return/source/ticket?a=b"


def _settings(**settings: object) -> idbeyond.Settings:
    given = {
        "environment": "test",
        "api_key": _KEY,
        "publishable_key": "pk_test_1",
        "hmac_secrets": [_SECRET],
        "base_url": "http://127.0.0.1:1",
    }
    return idbeyond.Settings.model_validate(given | settings)


class _Played:
    """A simulator that is served, an ingress that notes, and what begins there."""

    def __init__(self, base_url: str, ingress: str, **settings: object) -> None:
        configured = _settings(base_url=base_url, **settings)
        clock = clocks.SystemClock()
        self.beginner = start.SessionStarter("source", configured, clock)
        self.adapter = idbeyond.Adapter("source", configured, clock)
        self.http = aiohttp.ClientSession(base_url)
        self.webhook_url = f"{ingress}/webhooks/source/token?x=1"
        self.heard: list[tuple[str, str, bytes]] = []

    async def begin(self, **changes: Any) -> model.StartedSession:  # noqa: ANN401 -- a request
        usual = {"return_address": _RETURN, "webhook_url": self.webhook_url}
        return await self.beginner.begin(starts.request(**usual | changes))

    async def does(self, session_id: str, **wish: object) -> dict[str, Any]:
        """Play the person over HTTP, as another process does."""
        path = f"/_sim/idbeyond/sessions/{session_id}/person"
        async with self.http.post(path, data=orjson.dumps(wish)) as response:
            assert response.status == 200
            document: dict[str, Any] = await response.json()
            return document

    async def press(
        self, address: str, button: str, **more: str
    ) -> tuple[int, str | None, str]:
        """Press a button of the page; return status, where to, and the page after."""
        async with self.http.post(
            address, data={"does": button, **more}, allow_redirects=False
        ) as response:
            location = response.headers.get("Location")
            return response.status, location, await response.text()


@contextlib.asynccontextmanager
async def _played(**settings: object) -> AsyncIterator[tuple[Any, _Played]]:
    account = simulators.Account(source="source", settings=_settings(**settings))
    simulator = simulators.find("idbeyond").build(account)
    served = await simulators.serve(simulator)
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def ingress(request: web.Request) -> web.Response:
        signature = request.headers.get("X-Verification-Signature", "")
        played.heard.append((request.path_qs, signature, await request.read()))
        return web.Response()

    app.router.add_route("*", "/{path:.*}", ingress)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    played = _Played(served.base_url, address, **settings)
    try:
        yield simulator, played
    finally:
        await played.http.close()
        await played.adapter.close()
        await played.beginner.close()
        await served.close()
        await runner.cleanup()


@pytest.mark.parametrize("outcome", ["approved", "rejected"])
async def test_a_person_s_end_is_called_back_where_the_begin_said(outcome: str) -> None:
    """To our address, with our secret, and with our own words in it."""
    async with _played() as (_, played):
        begun = await played.begin(provider_params={"metadata": {"campaign": "q3"}})
        assert played.heard == []
        scenario = {"outcome": outcome}
        document = await played.does(begun.session_id, does="finish", scenario=scenario)

    assert document["delivered"] == [200, 200]
    for path, signature, body in played.heard:
        assert path == "/webhooks/source/token?x=1"
        assert idbeyond.SIGNATURE.match([_SECRET.encode()], [signature], body) == 0
        assert orjson.loads(body)["metadata"]["campaign"] == "q3"
    body = orjson.loads(played.heard[-1][2])
    assert body["externalUserId"] == "customer-17"
    wake = played.adapter.normalise(adapters.callback(body))
    assert isinstance(wake, model.WakeUp)
    assert (wake.session_id, wake.reference) == (begun.session_id, "customer-17")
    assert wake.begin_id == "b" * 43
    claim = played.adapter.claim(adapters.event(wake.provider_event, dict(wake.claim)))
    assert claim is not None
    assert claim.verdict.outcome == outcome


@pytest.mark.parametrize(
    "wish", [{"does": "finish", "scenario": {"missing": True}}, {"does": "abandon"}]
)
async def test_nobody_is_told_of_a_lost_callback_or_an_abandoned_session(
    wish: dict[str, Any],
) -> None:
    """In callback mode neither can be told from the other."""
    async with _played() as (_, played):
        begun = await played.begin()
        document = await played.does(begun.session_id, **wish)

    assert document["callbacks"] == []
    assert played.heard == []


async def test_a_session_without_an_address_calls_nobody() -> None:
    """As the guide's troubleshooting says; without a secret nothing is signed."""
    async with _played() as (simulator, played):
        begun = await played.begin(webhook_url=None)
        document = await played.does(begun.session_id, does="finish")
        assert document["callbacks"] == []

        body = orjson.dumps({"webhookUrl": played.webhook_url})
        async with played.http.post(_CREATE, data=body, headers=_BEARER) as response:
            session_id = (await response.json())["sessionId"]
        await played.does(session_id, does="finish")
        assert [signature for _, signature, _ in played.heard] == ["", ""]
        assert len(simulator.sessions()) == 2


async def test_a_session_that_is_asked_for_before_its_end_is_in_progress() -> None:
    """Where there is a result call, a person who is not through has no review."""
    async with _played(result="fetch") as (_, played):
        begun = await played.begin()
        key = model.SessionKey("source", begun.session_id)
        reasons = []
        for deed in ("abandon", "finish"):
            answer = await played.adapter.fetch(key, begun.session_id)
            result = played.adapter.interpret(key, begun.session_id, answer)
            reasons.append((result.verdict.reason, result.reference))
            await played.does(begun.session_id, does=deed)
        answer = await played.adapter.fetch(key, begun.session_id)
        result = played.adapter.interpret(key, begun.session_id, answer)

    assert reasons == [(model.Reason.IN_PROGRESS, "customer-17")] * 2
    assert result.verdict.outcome is model.Outcome.APPROVED


@pytest.mark.parametrize(
    ("button", "status"), [("approve", "approved"), ("reject", "rejected")]
)
async def test_the_hosted_flow_sends_the_person_back(button: str, status: str) -> None:
    """A 302 to the return address, with session and status behind what was there."""
    async with _played() as (_, played):
        begun = await played.begin()
        assert begun.url is not None
        async with played.http.get(begun.url) as response:
            assert 'data-testid="approve"' in await response.text()
        code, location, _ = await played.press(begun.url, button)
        async with played.http.get(begun.url) as response:
            assert response.status == 410

    assert code == 302
    document = urllib.parse.urlsplit(str(location))
    assert (
        f"{document.scheme}://{document.netloc}{document.path}"
        == _RETURN.partition("?")[0]
    )
    assert dict(urllib.parse.parse_qsl(document.query)) == {
        "a": "b",
        "session_id": begun.session_id,
        "status": status,
    }
    assert len(played.heard) == 2


@pytest.mark.parametrize("token", ["", "token=", "token=kvs_another", "token=%ff"])
async def test_the_hosted_flow_needs_its_credential(token: str) -> None:
    """A session id alone opens nothing."""
    async with _played() as (_, played):
        begun = await played.begin()
        address = str(begun.url).partition("?")[0] + f"?{token}"
        async with played.http.get(address) as response:
            shown = response.status
        pressed = await played.press(address, "approve")

    assert shown == 404
    assert pressed[0] == 400


async def test_an_embedded_flow_tells_the_page_around_it() -> None:
    """The module that the snippet imports frames the page, which tells its end."""
    async with _played() as (_, played):
        begun = await played.begin(mode=model.BeginMode.EMBED)
        async with played.http.get("/") as response:
            module = await response.text()
            headers = response.headers
        secret = str(begun.embed).partition("clientSecret: '")[2].partition("'")[0]
        address = f"/verification/session/{begun.session_id}?token={secret}"
        code, location, page = await played.press(address, "approve", lost="yes")

    assert headers["Content-Type"].startswith("text/javascript")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "export function init(" in module
    assert (code, location) == (200, None)
    assert '"type":"uniicy:complete"' in page
    assert begun.session_id in page
    assert played.heard == []


async def test_return_addresses_of_other_schemes_are_ignored() -> None:
    """As the guide says: the person ends on the built-in page."""
    async with _played() as (_, played):
        for return_url in ("javascript:alert(1)", "ftp://x/", "", None):
            body = orjson.dumps({"returnUrl": return_url})
            async with played.http.post(
                _CREATE, data=body, headers=_BEARER
            ) as response:
                made = await response.json()
            assert (await played.press(made["hostedUrl"], "approve"))[:2] == (200, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", "body"),
        (b"{", "body"),
        (b'{"externalUserId": 1}', "externalUserId"),
        (b'{"returnUrl": {}}', "returnUrl"),
        (b'{"webhookUrl": false}', "webhookUrl"),
        (b'{"webhookSecret": "short"}', "webhookSecret"),
        (b'{"metadata": "x"}', "metadata"),
    ],
)
async def test_a_wrong_field_is_named(body: bytes, field: str) -> None:
    """How is made up; that types are checked is the guide's."""
    async with _played() as (simulator, played):
        async with played.http.post(_CREATE, data=body, headers=_BEARER) as response:
            document = await response.json()
            assert response.status == 400
        assert list(simulator.sessions()) == []

    assert (document["ok"], document["field"]) == (False, field)
