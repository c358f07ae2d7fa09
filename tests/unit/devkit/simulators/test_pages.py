"""The person of a begun session, played over HTTP, and a begin call's own faults."""

import pytest

from tests.support import provider_harness
from worker import errors

_BOTH = pytest.mark.parametrize("name", sorted(provider_harness.SETTINGS))


def _unfinished(name: str) -> str:
    return {"biometric": "pending in_progress", "identomat": "not_ready"}[name]


@_BOTH
async def test_a_begun_session_waits_for_its_person(
    stage: provider_harness.Stage, name: str
) -> None:
    """However often it is asked for, there is no result, and it tells no truth."""
    begun = await stage.begun()
    found = [await stage.result(begun.session_id) for _ in range(3)]
    async with stage.http.get(f"{stage.control}/sessions/{begun.session_id}") as answer:
        document = await answer.json()

    assert found == [_unfinished(name)] * 3
    assert (document["standing"], document["truth"], document["callbacks"]) == (
        "begun",
        None,
        [],
    )
    assert stage.delivered == []


@_BOTH
@pytest.mark.parametrize(
    ("outcome", "found"),
    [("approved", "approved verified"), ("rejected", "rejected biometric_failed")],
)
async def test_a_person_finishes(
    stage: provider_harness.Stage, name: str, outcome: str, found: str
) -> None:
    """Then there is a result, the ingress is called, and nobody finishes twice."""
    begun = await stage.begun()
    status, document = await stage.person(
        begun.session_id, does="finish", scenario={"outcome": outcome}
    )
    again = await stage.person(begun.session_id, does="abandon")

    assert (status, document["standing"]) == (200, "finished")
    assert (document["truth"]["outcome"], document["truth"]["heard"]) == (outcome, True)
    assert document["delivered"] == [200] * len(stage.delivered)
    key = {"biometric": "session_id", "identomat": "sessionId"}[name]
    assert stage.delivered[-1][key] == begun.session_id
    assert found == await stage.result(begun.session_id)
    assert again == (409, {"error": "the person is through"})


@_BOTH
async def test_a_callback_is_lost(stage: provider_harness.Stage) -> None:
    """Nothing is delivered, and the result is there for who asks."""
    begun = await stage.begun()
    scenario = {"missing": True, "not_ready": 1}
    _, document = await stage.person(begun.session_id, does="finish", scenario=scenario)
    found = [await stage.result(begun.session_id) for _ in range(2)]

    assert (document["delivered"], document["truth"]["heard"]) == (None, False)
    assert stage.delivered == []
    assert found == ["not_ready", "approved verified"]


@_BOTH
async def test_a_person_abandons_and_may_come_back(
    stage: provider_harness.Stage, name: str
) -> None:
    """An abandoned session has no result and no callback until somebody finishes it."""
    begun = await stage.begun()
    status, document = await stage.person(begun.session_id, does="abandon")
    found = await stage.result(begun.session_id)
    back, _ = await stage.person(begun.session_id, does="finish")

    assert (status, document["standing"], document["truth"]) == (200, "abandoned", None)
    assert document["delivered"] is None
    assert found == _unfinished(name)
    assert back == 200
    assert await stage.result(begun.session_id) == "approved verified"


@_BOTH
@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({}, 400),
        ({"does": "dance"}, 400),
        ({"does": "finish", "scenario": {"x": 1}}, 400),
        ({"does": "finish", "scenario": []}, 400),
        ({"does": ["finish"]}, 400),
    ],
)
async def test_a_deed_that_is_none_is_refused(
    stage: provider_harness.Stage, wish: dict[str, object], status: int
) -> None:
    """And changes nothing."""
    begun = await stage.begun()
    answered, document = await stage.person(begun.session_id, **wish)

    assert answered == status
    assert document["error"]
    assert stage.simulator.held(begun.session_id).standing == "begun"


@_BOTH
async def test_nobody_is_made_up(stage: provider_harness.Stage) -> None:
    """A session that is not there has no person and no page."""
    status, _ = await stage.person("0" * 40, does="finish")
    page = {"biometric": "/flow/none", "identomat": "/?session_token=none"}[stage.name]
    async with stage.http.get(stage.url + page) as response:
        shown = response.status
    pressed, _, _ = await stage.press(stage.url + page, does="approve")

    assert (status, shown, pressed) == (404, 404, 400)


@_BOTH
async def test_an_ingress_that_is_not_there_is_named(
    stage: provider_harness.Stage,
) -> None:
    """Where nobody listens the session is finished all the same."""
    begun = await stage.begun()
    status, document = await stage.person(
        begun.session_id, does="finish", deliver_to="http://127.0.0.1:1"
    )

    assert (status, document["standing"]) == (502, "finished")
    assert document["error"].startswith("deliver_to: ")


@_BOTH
async def test_every_session_is_listed(stage: provider_harness.Stage) -> None:
    """Whoever looks for one that was begun twice finds both, and how far they are."""
    first, second = await stage.begun(), await stage.begun()
    await stage.person(first.session_id, does="finish")
    async with stage.http.get(f"{stage.control}/sessions") as response:
        document = await response.json()

    assert [(one["session_id"], one["standing"]) for one in document["sessions"]] == [
        (first.session_id, "finished"),
        (second.session_id, "begun"),
    ]


@_BOTH
async def test_begin_calls_fail_as_the_dashboard_says(
    stage: provider_harness.Stage,
) -> None:
    """An error begins nothing; a call that hangs has begun what nobody hears of."""
    wish = {"begins": {"hang": 1, "errors": 1, "error_status": 503}}
    async with stage.http.put(f"{stage.control}/dashboard", json=wish) as response:
        assert response.status == 200
    with pytest.raises(errors.ProviderTimeout):
        await stage.begun()
    begun_in_doubt = len(stage.simulator.sessions())
    with pytest.raises(errors.ProviderFault):
        await stage.begun()
    await stage.begun()

    assert begun_in_doubt == 1
    assert len(stage.simulator.sessions()) == 2


@_BOTH
@pytest.mark.parametrize("body", [b"", b"[]", b'{"x": 1}', b'{"begins": {"x": 1}}'])
async def test_a_bad_dashboard_is_refused(
    stage: provider_harness.Stage, body: bytes
) -> None:
    """And changes nothing."""
    before = stage.dashboard.ingress_url
    async with stage.http.put(f"{stage.control}/dashboard", data=body) as response:
        assert response.status == 400

    assert (stage.dashboard.begins, stage.dashboard.ingress_url) == (None, before)


@_BOTH
async def test_callbacks_go_where_the_dashboard_says(
    stage: provider_harness.Stage,
) -> None:
    """From then on, until it is told otherwise."""
    wish = {"ingress_url": "http://127.0.0.1:1"}
    async with stage.http.put(f"{stage.control}/dashboard", json=wish) as response:
        assert await response.json() == wish
    begun = await stage.begun()
    status, _ = await stage.person(begun.session_id, does="finish")

    assert (status, stage.delivered) == (502, [])
