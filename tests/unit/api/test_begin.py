"""A begin: its order, its one answer, and what a repeat of it gets."""

from collections.abc import Sequence

import pytest

from tests.unit.api import kit
from worker import api, errors, model
from worker.returns import tickets
from worker.telemetry import labels

_SAME = {"Idempotency_Key": "key-1"}
_DAY_MS = 86_400_000


def _ticket(desk: kit.Desk, address: str, way: str) -> object:
    prefix = f"{kit.PUBLIC_URL}/{way}/one/"
    assert address.startswith(prefix)
    text = address.removeprefix(prefix)
    return kit.TICKETS.verify(text, "one", desk.clock.now_ms())


async def test_a_begin_and_its_answer(desk: kit.Desk) -> None:
    """201 with all that the caller needs; the worker knows the session before."""
    status, found = await desk.begin(
        {**kit.GOOD, "language": "de", "provider_params": {"a": 1}}
    )
    (request,), (event,), (end,) = (
        desk.beginner.asked,
        desk.kafka.events,
        desk.kafka.ends,
    )

    assert status == 201
    ticket = _ticket(desk, found.pop("return_url"), "return")
    assert found == {
        "source": "one",
        "session_id": "s1",
        "reference": "customer-1",
        "url": "https://provider.example/open?token=credential",
        "expires_at": "2026-11-21T10:11:40.000Z",
        "details": {"technologies": ["1", "2"]},
        "warnings": ["a warning"],
    }
    assert (request.language, request.provider_params) == ("de", {"a": 1})
    assert request.webhook_url == "https://kyc.example.com/webhooks/one/token"
    assert (event.type, event.session_id, event.provider_session_id) == (
        model.EventType.SESSION_REGISTERED,
        "s1",
        "S1",
    )
    assert (event.reference, event.begin_id) == ("customer-1", request.begin_id)
    assert event.expires_at == end.expires_at == 1_795_255_900_000
    assert end.stage is model.BeginStage.REGISTERED
    assert isinstance(ticket, tickets.Ticket)
    assert (ticket.session_id, ticket.begin_id) == ("s1", request.begin_id)
    assert desk.observer.results == [labels.ApiResult.STARTED]


async def test_the_provider_gets_a_ticket_without_a_session(desk: kit.Desk) -> None:
    """The return address is made before there is a session, and holds the page."""
    await desk.begin()
    (request,) = desk.beginner.asked
    ticket = _ticket(desk, request.return_address or "", "return")

    assert isinstance(ticket, tickets.Ticket)
    assert (ticket.session_id, ticket.return_url) == (None, kit.BACK)
    assert ticket.expires_at - desk.clock.now_ms() in range(_DAY_MS, _DAY_MS + 1000)


async def test_an_embedded_session_finishes_by_a_ticket(desk: kit.Desk) -> None:
    """For a widget there is no way back, and a place to tell that it has finished."""
    status, found = await desk.begin({"reference": "customer-1", "mode": "embed"})
    ticket = _ticket(desk, found["finished_url"], "finished")

    assert (status, "return_url" in found) == (201, False)
    assert desk.beginner.asked[0].return_address is None
    assert isinstance(ticket, tickets.Ticket)
    assert ticket.session_id == "s1"


async def test_a_repeat_is_told_the_session_and_no_credential(desk: kit.Desk) -> None:
    """The same key within a day: 409 with the session, and the provider hears once."""
    await desk.begin(**_SAME)
    desk.clock.advance(_DAY_MS - 1)
    status, found = await desk.begin(**_SAME)

    assert (status, found["state"], found["session_id"]) == (409, "begun", "s1")
    assert "credential" not in str(found)
    assert len(desk.beginner.asked) == 1
    desk.clock.advance(1)
    assert (await desk.begin(**_SAME))[0] == 201


async def test_another_source_is_another_begin(desk: kit.Desk) -> None:
    """A key belongs to its source; and without one nothing is a repeat."""
    statuses = [
        (await desk.begin(**_SAME))[0],
        (await desk.begin(source="ours", **_SAME))[0],
        (await desk.begin())[0],
        (await desk.begin())[0],
    ]

    assert statuses == [201] * 4
    assert len({request.begin_id for request in desk.beginner.asked}) == 3


async def test_a_key_is_known_by_an_older_secret_too(desk: kit.Desk) -> None:
    """While secrets are rotated, what the other replica began is a repeat here."""
    intent = _intent(desk, _begin_id(kit.SECRETS[1:]))
    desk.kafka.write(intent.registered(1, session_id="s9", provider_session_id="S9"))

    assert (await desk.begin(**_SAME))[1]["session_id"] == "s9"


def _begin_id(secrets: Sequence[bytes]) -> str:
    """Return the begin id of ``_SAME`` by the first of *secrets*."""
    return kit.identities(secrets)[0].begin_id


def _intent(desk: kit.Desk, begin_id: str, attempt: str = "rival") -> model.Intent:
    return model.Intent(
        source="one",
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id=begin_id,
        attempt_id=attempt,
        reference="customer-1",
        begun_at=desk.clock.now_ms(),
    )


@pytest.mark.parametrize(
    ("waited_ms", "state"), [(29_999, "in_progress"), (30_000, "outcome_unknown")]
)
async def test_a_repeat_of_what_has_no_end(
    desk: kit.Desk, waited_ms: int, state: str
) -> None:
    """While it may be under way it is, and later nobody knows."""
    desk.kafka.write(_intent(desk, _begin_id(kit.SECRETS)))
    desk.clock.advance(waited_ms)
    status, found = await desk.begin(**_SAME)

    assert (status, found["state"], "session_id" in found) == (409, state, False)
    assert desk.beginner.asked == []


async def test_the_loser_of_a_race_does_not_call_the_provider(desk: kit.Desk) -> None:
    """Whoever reads another intent before its own begins nothing."""
    desk.kafka.before["one"] = _intent(desk, "")
    status, found = await desk.begin(**_SAME)

    assert (status, found["state"]) == (409, "in_progress")
    assert (desk.beginner.asked, desk.kafka.ends) == ([], [])


async def test_a_late_loser_writes_the_winner_s_end_anew(desk: kit.Desk) -> None:
    """Its own record must not be the one that compaction keeps."""
    won = _intent(desk, "").registered(1, session_id="s9", provider_session_id="S9")
    desk.kafka.before["one"] = won
    status, found = await desk.begin(**_SAME)

    assert (status, found["session_id"]) == (409, "s9")
    assert [each.session_id for each in desk.kafka.ends] == ["s9"]


@pytest.mark.parametrize(
    ("failure", "status", "result"),
    [
        (errors.InvalidBeginRequest({"language": "is refused"}), 422, "refused"),
        (errors.ProviderAuthFailed(), 502, "provider_failed"),
        (errors.ProviderFault("500"), 502, "provider_failed"),
        (errors.InvalidResponse("status"), 502, "provider_failed"),
        (errors.RateLimited(retry_after_ms=1500), 503, "provider_busy"),
        (errors.ProviderUnreachable("not_connected"), 502, "provider_failed"),
    ],
)
async def test_what_began_nothing_frees_the_key(
    desk: kit.Desk, failure: Exception, status: int, result: str
) -> None:
    """The answer says whose fault it is, and the same may be asked again."""
    desk.beginner.fails = [failure]
    refused, found = await desk.begin(**_SAME)

    assert (refused, [str(each) for each in desk.observer.results]) == (
        status,
        [result],
    )
    assert desk.kafka.ends[-1].stage is model.BeginStage.FAILED
    assert "detail" in found
    assert (await desk.begin(**_SAME))[0] == 201


@pytest.mark.parametrize(
    "failure",
    [
        errors.ProviderTimeout(),
        errors.ProviderUnreachable("broken_off"),
        errors.BeginInDoubt("no_token"),
        TimeoutError(),
        RuntimeError("a secret"),
    ],
)
async def test_what_may_have_begun_is_not_begun_again(
    desk: kit.Desk, failure: Exception
) -> None:
    """Nobody knows: the key stays taken, and no second session is made of it."""
    desk.beginner.fails = [failure]
    status, found = await desk.begin(**_SAME)

    assert (status, found["state"]) == (504, "outcome_unknown")
    assert "secret" not in str(found)
    assert (desk.kafka.ends, desk.kafka.events) == ([], [])
    assert (await desk.begin(**_SAME))[0] == 409
    assert len(desk.beginner.asked) == 1


async def test_our_account_refused_is_an_alarm(desk: kit.Desk) -> None:
    """A caller cannot mend it: a person is called."""
    desk.beginner.fails = [errors.ProviderAuthFailed()]
    await desk.begin()

    assert desk.observer.alarms == [(model.AlarmKind.PROVIDER_AUTH_FAILED, "one")]


def test_begin_ids_tell_sources_callers_and_keys_apart() -> None:
    """The same everywhere for the same, and for nothing else; random ones never."""
    made = api.BeginIds(kit.SECRETS)
    wanted = api.Begin(reference="customer-1")
    found = [
        each.begin_id
        for each in (
            *made.of("one", "caller", "key", wanted),
            *made.of("two", "caller", "key", wanted),
            *made.of("one", "another", "key", wanted),
            *made.of("one", "caller", "key2", wanted),
            *(made.random() for _ in range(4)),
        )
    ]
    again = api.BeginIds(kit.SECRETS).of("one", "caller", "key", wanted)

    assert made.of("one", "caller", "key", wanted) == again
    assert len(set(found)) == 12


async def test_what_the_provider_refuses_beforehand_is_not_written(
    desk: kit.Desk,
) -> None:
    """Refused by our own check: no intent, no call, and every wrong field named."""
    desk.beginner.wrong = {"provider_params.flags": "must be an object"}
    status, found = await desk.begin()

    assert status == 422
    assert found["errors"] == [
        {"field": "provider_params.flags", "message": "must be an object"}
    ]
    assert (desk.kafka.list_open(), desk.beginner.asked) == ([], [])
