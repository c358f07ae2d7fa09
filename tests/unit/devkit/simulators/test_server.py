"""Serving simulated providers, and steering them over HTTP."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from tests.support import ports
from worker.devkit import simulators
from worker.devkit.simulators import _control_api, _scenario, _server
from worker.providers import identomat

_SETTINGS = identomat.Settings.model_validate(
    {
        "environment": "test",
        "company_key": "synthetic-company-key",
        "callback_api_keys": ["synthetic-callback-key"],
        "url_secrets": ["u" * 32],
    }
)
_CONTROL = "/_sim/identomat/sessions"


def _simulator() -> simulators.Simulator:
    return simulators.find("identomat").build(
        simulators.Account(source="identomat", settings=_SETTINGS)
    )


@pytest.fixture(name="served")
async def _served() -> AsyncIterator[simulators.Served]:
    served = await simulators.serve(_simulator())
    yield served
    await served.close()


@pytest.fixture(name="http")
async def _http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_session_is_made_over_http(
    served: simulators.Served, http: aiohttp.ClientSession
) -> None:
    """Whoever drives it from another process gets the callbacks and the truth."""
    wish = {"session_id": "a" * 40, "scenario": {"outcome": "rejected", "repeat": 1}}
    async with http.post(served.base_url + _CONTROL, json=wish) as response:
        document = await response.json()
    async with http.get(f"{served.base_url}{_CONTROL}/{'a' * 40}") as response:
        again = await response.json()

    assert document.pop("delivered") is None
    assert document == again
    assert document["session_id"] == "a" * 40
    assert document["truth"] == {
        "outcome": "rejected",
        "provider_status": "rejected",
        "heard": True,
    }
    first, second = document["callbacks"]
    assert first == second
    assert first["path"].startswith("/webhooks/identomat/")
    body = base64.b64decode(first["body_base64"])
    assert b"synthetic-callback-key" in body


async def test_callbacks_are_delivered_on_request(
    served: simulators.Served, http: aiohttp.ClientSession
) -> None:
    """With ``deliver_to`` the provider calls back itself, in order."""
    seen: list[tuple[str, bytes]] = []

    async def ingress(request: web.Request) -> web.Response:
        seen.append((request.path, await request.read()))
        return web.Response(status=503 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_post("/webhooks/{tail:.*}", ingress)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    wish = {
        "scenario": {"pending_first": 1},
        "deliver_to": f"http://127.0.0.1:{runner.addresses[0][1]}/",
    }
    async with http.post(served.base_url + _CONTROL, json=wish) as response:
        document = await response.json()
    await runner.cleanup()

    assert document["delivered"] == [503, 200]
    assert [path for path, _ in seen] == [c["path"] for c in document["callbacks"]]


async def test_an_ingress_that_is_not_there_is_named(
    served: simulators.Served, http: aiohttp.ClientSession
) -> None:
    """A ``deliver_to`` that nobody answers is told; the session is held anyway."""
    wish = {"deliver_to": "http://127.0.0.1:1"}
    async with http.post(served.base_url + _CONTROL, json=wish) as response:
        document = await response.json()

    assert response.status == 502
    assert document["error"].startswith("deliver_to: ")
    assert document["session_id"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"scenario": {"x": 1}}', b'{"scenario": []}']
)
async def test_a_bad_wish_is_refused(
    served: simulators.Served, http: aiohttp.ClientSession, body: bytes
) -> None:
    """Four hundred, and why."""
    async with http.post(served.base_url + _CONTROL, data=body) as response:
        document = await response.json()

    assert response.status == 400
    assert document["error"]


async def test_an_unknown_session_is_not_found(
    served: simulators.Served, http: aiohttp.ClientSession
) -> None:
    """Nobody is made up."""
    async with http.get(f"{served.base_url}{_CONTROL}/none") as response:
        assert response.status == 404


async def test_nobody_from_outside_steers() -> None:
    """The control endpoint answers this machine only."""
    called: list[object] = []

    async def handler(request: web.Request) -> web.Response:
        called.append(request)
        return web.Response()

    guarded = _control_api.loopback_only(handler)
    answers = []
    for remote in ("127.0.0.1", "::1", "192.0.2.1", "", None):
        request = _Remote(remote)
        answers.append((await guarded(request)).status)  # type: ignore[arg-type]  # -- only the address is read

    assert answers == [200, 200, 403, 403, 403]
    assert len(called) == 2


class _Remote:
    """A request of which only the caller's address is known."""

    def __init__(self, remote: str | None) -> None:
        self.remote = remote


async def test_each_has_a_port_of_its_own() -> None:
    """The ports count up from the first; a taken one leaves nothing listening."""
    first = ports.free(3) + 1
    served = await simulators.serve_all([_simulator(), _simulator()], first_port=first)
    taken = [one.port for one in served]
    with pytest.raises(OSError, match="in use"):
        await simulators.serve_all([_simulator(), _simulator()], first_port=first - 1)
    for one in served:
        await one.close()
    again = await simulators.serve_all([_simulator(), _simulator()])
    free_ports = {one.port for one in again}
    for one in again:
        await one.close()

    assert taken == [first, first + 1]
    assert len(free_ports) == 2


async def test_disturbances_are_answered_for_the_provider() -> None:
    """An error comes with its status and Retry-After; the rest is the provider's."""
    scenario = _scenario.Scenario(errors=1, error_status=502, retry_after="7")
    held = _scenario.SimulatedSession("s", scenario)

    answer = await _server.disturbed(held)

    assert isinstance(answer, web.Response)
    assert (answer.status, answer.headers["Retry-After"]) == (502, "7")
    assert await _server.disturbed(held) is _scenario.ResponseKind.OUTCOME
