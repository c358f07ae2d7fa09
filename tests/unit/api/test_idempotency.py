"""An Idempotency-Key belongs to one caller and to one request."""

import dataclasses

import orjson
import pytest

from tests.unit.api import kit
from worker import api, codec, model

_SAME = {"Idempotency_Key": "key-1"}
_PARAMS = {"edocument": {"iin": {"value": "850101300123"}}}


def _as(key: str) -> dict[str, str]:
    return _SAME | {"Authorization": f"Bearer {key}"}


async def test_a_key_of_another_caller_is_another_begin(desk: kit.Desk) -> None:
    """Two services number their orders alike: each gets its own session."""
    first = await desk.begin(**_as(kit.KEY))
    second = await desk.begin(**_as(kit.OTHER_KEY))

    assert [first[0], second[0]] == [201, 201]
    assert first[1]["session_id"] != second[1]["session_id"]
    repeats = [await desk.begin(**_as(key)) for key in (kit.KEY, kit.OTHER_KEY)]
    assert [(status, found["session_id"]) for status, found in repeats] == [
        (409, "s1"),
        (409, "s2"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "customer-2"},
        {"return_url": f"{kit.BACK}?order=2"},
        {"language": "de"},
        {"provider_params": _PARAMS},
        {"mode": "embed", "return_url": None},
    ],
)
async def test_another_request_with_the_key_is_refused(
    desk: kit.Desk, changes: dict[str, object]
) -> None:
    """A key used twice by mistake: 422, and the first one's session is not named."""
    await desk.begin(**_SAME)
    status, found = await desk.begin({**kit.GOOD, **changes}, **_SAME)

    assert status == 422
    assert [each["field"] for each in found["errors"]] == ["Idempotency-Key"]
    assert "s1" not in str(found)
    assert len(desk.beginner.asked) == 1


async def test_the_same_request_may_be_written_otherwise(desk: kit.Desk) -> None:
    """What counts is what is asked, in whatever order and with defaults spelt out."""
    await desk.begin({**kit.GOOD, "provider_params": {"a": 1, "b": [2]}}, **_SAME)
    turned = {"provider_params": {"b": [2], "a": 1}, "mode": "redirect", **kit.GOOD}

    assert (await desk.begin(turned, **_SAME))[0] == 409


async def test_the_loser_of_a_race_for_another_request(desk: kit.Desk) -> None:
    """Two requests at once with one key: only the first one counts, for both."""
    desk.kafka.before["one"] = _intent(desk, "", request_digest="0" * 64)
    status, found = await desk.begin(**_SAME)

    assert (status, found["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert desk.beginner.asked == []


async def test_an_intent_without_a_digest_is_a_repeat(desk: kit.Desk) -> None:
    """An older release wrote none: nothing is begun twice."""
    desk.kafka.write(_intent(desk, kit.identities(kit.SECRETS)[0].begin_id))

    assert (await desk.begin(**_SAME))[0] == 409


async def test_a_begin_of_the_release_before_is_not_begun_twice(
    desk: kit.Desk,
) -> None:
    """Its key belonged to no caller: it is a repeat, whose session is not named."""
    [older, _] = api.BeginIds(kit.SECRETS).without_caller("one", "key-1")
    intent = _intent(desk, older)
    desk.kafka.write(intent.registered(1, session_id="s9", provider_session_id="S9"))
    status, found = await desk.begin(**_SAME)

    assert (status, found["state"], "session_id" in found) == (409, "begun", False)
    assert desk.beginner.asked == []


async def test_the_digest_tells_nothing_of_the_request(desk: kit.Desk) -> None:
    """It is on Kafka: keyed by a secret, and for random begins there is none."""
    await desk.begin({**kit.GOOD, "provider_params": _PARAMS}, **_SAME)
    await desk.begin({**kit.GOOD, "provider_params": _PARAMS})
    [kept, unkept] = desk.kafka.ends
    other = dataclasses.replace(
        api.Begin(reference="customer-1", return_url=kit.BACK), provider_params=_PARAMS
    )
    [mine, older] = api.BeginIds(kit.SECRETS).of(
        "one", kit.digest(kit.KEY), "key-1", other
    )

    assert (kept.request_digest, unkept.request_digest) == (mine.request_digest, None)
    assert mine.request_digest != older.request_digest
    assert b"850101300123" not in (codec.begin_record(kept).value or b"")


def test_a_record_of_the_release_before_has_no_digest() -> None:
    """The field is additive: what was written without it is read."""
    intent = model.Intent(
        source="one",
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id="b",
        attempt_id="0190b1de-0c1d-4f8e-9d57-00000000000c",
        reference="customer-1",
        begun_at=1_795_255_809_700,
        request_digest="0" * 64,
    )
    record = codec.begin_record(intent)
    held = orjson.loads(record.value or b"")
    assert codec.read_begin(record.key, record.value) == intent
    del held["request_digest"]
    read = codec.read_begin(record.key, orjson.dumps(held))

    assert read == dataclasses.replace(intent, request_digest=None)


def _intent(
    desk: kit.Desk, begin_id: str, request_digest: str | None = None
) -> model.Intent:
    return model.Intent(
        source="one",
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id=begin_id,
        attempt_id="rival",
        reference="customer-1",
        begun_at=desk.clock.now_ms(),
        request_digest=request_digest,
    )
