"""What the api refuses, and with which words: any field, any body, any path."""

from typing import Any

import pytest

from tests.unit.api import kit
from worker import model
from worker.telemetry import labels

_BACK = f"{kit.ORIGIN}/back"


def _wrong(found: dict[str, Any]) -> dict[str, str]:
    return {each["field"]: each["message"] for each in found["errors"]}


@pytest.mark.parametrize(
    ("members", "field", "sentence"),
    [
        ({"reference": None}, "reference", "is missing"),
        ({"reference": 7}, "reference", "must be a text"),
        ({"reference": ""}, "reference", "must match"),
        ({"reference": "12345678"}, "reference", "must match"),
        ({"reference": "a@example.com"}, "reference", "must match"),
        ({"reference": "a" * 65}, "reference", "must match"),
        ({"reference": "a" * 256}, "reference", "must be at most 255"),
        ({"reference": "a\n"}, "reference", "must match"),
        ({"mode": "popup"}, "mode", "must be one of redirect, embed"),
        ({"mode": ["redirect"]}, "mode", "must be a text"),
        ({"mode": "embed"}, "return_url", "is for mode redirect only"),
        ({"return_url": None}, "return_url", "is missing"),
        ({"return_url": {}}, "return_url", "must be a text"),
        ({"return_url": "javascript:alert(1)"}, "return_url", "must be a URL"),
        ({"return_url": "http://www.example.com"}, "return_url", "must begin with"),
        (
            {"return_url": "https://u@www.example.com"},
            "return_url",
            "must not contain a",
        ),
        (
            {"return_url": "https://www.example.com.evil.net"},
            "return_url",
            "must be of",
        ),
        ({"return_url": "https://www.example.com:8443/"}, "return_url", "must be of"),
        (
            {"return_url": "https://evil.net/\\@www.example.com"},
            "return_url",
            "must be",
        ),
        ({"return_url": f"{_BACK}#top"}, "return_url", "must not hold a fragment"),
        ({"return_url": f"{_BACK}?kyc_return=x"}, "return_url", "must not hold kyc_"),
        ({"return_url": f"{_BACK}?{'a' * 1024}"}, "return_url", "must be at most"),
        ({"language": "german!"}, "language", "must be a language tag"),
        ({"language": 1}, "language", "must be a text"),
        ({"provider_params": []}, "provider_params", "must be an object"),
        ({"callback": "x"}, "callback", "is not known"),
        ({"1985-04-12": "x"}, "", "is not known"),
    ],
)
async def test_a_wrong_field_is_named(
    desk: kit.Desk, members: dict[str, object], field: str, sentence: str
) -> None:
    """422, nothing written and nothing asked; the sentence repeats no value."""
    status, found = await desk.begin({**kit.GOOD, **members})
    [(named, message)] = _wrong(found).items()

    assert (status, named) == (422, field)
    assert message.startswith(sentence)
    for value in members.values():
        assert not isinstance(value, str) or len(value) < 5 or value not in message
    assert (desk.kafka.list_open(), desk.beginner.asked) == ([], [])
    assert desk.observer.results == [labels.ApiResult.REFUSED]


async def test_every_wrong_field_is_named_at_once(desk: kit.Desk) -> None:
    """Nobody has to try again for each."""
    _, found = await desk.begin(
        {"mode": 1, "language": 2, "provider_params": 3, "more": 4}
    )

    assert set(_wrong(found)) == {
        *("reference", "mode", "language", "provider_params", "more")
    }
    assert found["instance"] == "/sessions/{source}"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"reference": 7}, "reference"),
        ({}, "reference"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2026-11-21T10:15:00"}, "expires_at"),
        ({"expires_at": "9999-01-01T00:00:00Z"}, "expires_at"),
        ({"mode": "redirect"}, "mode"),
    ],
)
async def test_a_wrong_registration(
    desk: kit.Desk, members: dict[str, object], field: str
) -> None:
    """The same for what is registered."""
    good = {} if not members else {"reference": "customer-1"}
    status, found = await desk.send("PUT", "/sessions/one/abc", good | members)

    assert (status, list(_wrong(found))) == (422, [field])
    assert desk.kafka.events == []


@pytest.mark.parametrize("segment", ["", "%00", "a%20b", "a_b", "%ff", "%C3%A4", "."])
async def test_what_is_no_session_id(desk: kit.Desk, segment: str) -> None:
    """Against the provider's pattern there is nothing to register."""
    status, found = await desk.send(
        "PUT", f"/sessions/one/{segment}", {"reference": "customer-1"}
    )

    if segment == ".":  # the client's own doing: "/sessions/one/"
        segment = ""
    assert (status, list(_wrong(found))) == (422, ["session_id"])
    assert desk.kafka.events == []


async def test_a_registration(desk: kit.Desk) -> None:
    """202: an event in the canonical spelling, with what the company knows."""
    status, found = await desk.send(
        "PUT",
        "/sessions/one/%41bc",
        {"reference": "customer-1", "expires_at": "2025-10-09T10:15:00+02:00"},
    )
    (event,) = desk.kafka.events

    assert (status, found["session_id"]) == (202, "abc")
    assert (event.session_id, event.provider_session_id) == ("abc", "Abc")
    assert (event.type, event.reference, event.begin_id) == (
        model.EventType.SESSION_REGISTERED,
        "customer-1",
        None,
    )
    assert event.expires_at == 1_759_997_700_000
    assert desk.observer.results == [labels.ApiResult.REGISTERED]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/sessions", 404),
        ("POST", "/webhooks/one", 404),
        ("POST", "/sessions/one/a/b", 404),
        ("GET", "/sessions/one", 405),
        ("PUT", "/sessions/one", 405),
        ("DELETE", "/sessions/one/abc", 405),
        ("POST", "/sessions/two", 403),
        ("POST", "/sessions/nowhere", 403),
        ("POST", "/sessions/ONE", 403),
    ],
)
async def test_where_nothing_is(
    desk: kit.Desk, method: str, path: str, status: int
) -> None:
    """What a key has no right to it cannot tell from what is not there."""
    assert (await desk.send(method, path, kit.GOOD))[0] == status
    assert desk.beginner.asked == []


async def test_a_key_for_all_is_told_what_is_not_there(desk: kit.Desk) -> None:
    """404 says that there is no such source; its key may know."""
    headers = {"Authorization": f"Bearer {kit.OTHER_KEY}"}
    statuses = [
        (await desk.send("POST", f"/sessions/{name}", kit.GOOD, headers))[0]
        for name in ("two", "nowhere")
    ]

    assert statuses == [201, 404]


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", "Bearer x", f"Basic {kit.KEY}", kit.KEY),
        *(f"Bearer {kit.KEY}x", f"Bearer {kit.KEY[:-1]}", f"Bearer {'a' * 5000}"),
        "Bearer \u00e4",
    ],
)
async def test_without_a_key(desk: kit.Desk, authorization: str) -> None:
    """401 with a challenge, and the body is not read."""
    async with desk.client.post(
        f"{desk.url}/sessions/one",
        data=b"{",
        headers={"Authorization": authorization},
    ) as response:
        found = await response.text()
        assert (response.status, response.headers["WWW-Authenticate"]) == (
            401,
            'Bearer realm="api"',
        )
    assert kit.KEY not in found


async def test_two_keys_are_none(desk: kit.Desk) -> None:
    """Two values could be read differently by two readers."""
    headers = [("Authorization", f"Bearer {kit.KEY}")] * 2
    async with desk.client.post(
        f"{desk.url}/sessions/one", json=kit.GOOD, headers=headers
    ) as response:
        assert response.status == 401


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "\u00e4", "a\tb"])
async def test_a_wrong_idempotency_key(desk: kit.Desk, key: str) -> None:
    """It is named like a field."""
    status, found = await desk.begin(Idempotency_Key=key)

    assert (status, list(_wrong(found))) == (422, ["Idempotency-Key"])
    assert desk.beginner.asked == []


async def test_nothing_that_was_sent_is_reported(desk: kit.Desk) -> None:
    """Reports hold words of ours: no reference, no parameter, no key."""
    await desk.begin({**kit.GOOD, "provider_params": {"secret": "personal"}})
    await desk.begin({"reference": "person@example.com"})
    found = repr(desk.observer.reports)

    for word in ("customer-1", "personal", "person@", kit.KEY, "credential", "s1'"):
        assert word not in found
