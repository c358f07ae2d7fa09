"""IDnow: the company-wide lists, at most once a minute, for all who ask."""

import asyncio
import collections
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson
import pytest
from aiohttp import web

from worker import errors, model
from worker.providers import idnow

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]


class _Clock(Protocol):
    now: int

    def now_ms(self) -> int:
        """Return the time that was set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


def _entry(number: str, at: str | None = None, **process: object) -> dict[str, Any]:
    return {
        "identificationprocess": {
            "transactionnumber": number,
            "companyid": "ihrebank",
            "identificationtime": at,
            **process,
        },
        "customdata": {"custom1": "ref-1", "custom2": "private"},
        "userdata": {"firstname": {"value": "SPECIMEN"}},
    }


class _Lists:
    """A gateway whose single results are all 404, and whose lists can be filled."""

    def __init__(self) -> None:
        self.reads: collections.Counter[str] = collections.Counter()
        self.held: dict[str, object] = {"pending": [], "aborted": [], "cancelled": []}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.denied_thrice = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a login, a list, or 404."""
        if request.path.endswith("/login"):
            return web.Response(body=b'{"authToken": "token"}')
        if not request.query:
            self.reads["result"] += 1
            if self.reads["result"] == 3:
                self.denied_thrice.set()
            return web.Response(
                status=404, body=b'{"errors": [{"cause": "OBJECT_NOT_FOUND"}]}'
            )
        ((name, wanted),) = request.query.items()
        assert wanted == "true"
        self.reads[name] += 1
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        body = orjson.dumps({"identifications": self.held[name]})
        return web.Response(status=self.status, body=body, headers=self.headers)


@pytest.fixture(name="lists")
def _lists() -> _Lists:
    return _Lists()


@pytest.fixture(name="adapter")
async def _adapter(serve: Serve, lists: _Lists, clock: _Clock) -> Any:  # noqa: ANN401 -- a generator
    settings = idnow.Settings.model_validate(
        {
            "environment": "test",
            "company_id": "ihrebank",
            "api_key": "synthetic-api-key",
            "base_url": await serve(lists.handle),
            "max_answer_bytes": 200,
            "max_list_bytes": 4_000,
            "reference_field": "custom1",
        }
    )
    adapter = idnow.Adapter("idnow", settings, clock)
    yield adapter
    await adapter.close()


async def _fetch(
    adapter: idnow.Adapter, number: str, *, since: int | None = None
) -> model.ProviderResponse:
    key = model.SessionKey("idnow", number.lower())
    return await adapter.fetch(key, number, fresh_since=since)


@pytest.mark.parametrize("name", ["pending", "aborted", "cancelled"])
async def test_what_has_no_result_stands_in_a_list(
    adapter: idnow.Adapter, lists: _Lists, clock: _Clock, name: str
) -> None:
    """A 404 looks into all three, whatever the case of the number, and says where."""
    lists.held[name] = [_entry("OTHER"), _entry("Ah73JK3lm")]

    answer = await _fetch(adapter, "AH73JK3LM")

    assert (answer.origin, answer.observed_at) == (name, clock.now)
    process = answer.document["identificationprocess"]
    assert process["transactionnumber"] == "Ah73JK3lm"
    assert lists.reads == {"result": 1, "pending": 1, "aborted": 1, "cancelled": 1}


async def test_nothing_of_a_person_is_kept(
    adapter: idnow.Adapter, lists: _Lists
) -> None:
    """Of an entry only the process, the signature and the reference stay in memory."""
    lists.held["aborted"] = [_entry("T1") | {"esigning": {"result": "SUCCESS"}}]

    answer = await _fetch(adapter, "T1")

    assert set(answer.document) == {"identificationprocess", "customdata", "esigning"}
    assert answer.document["customdata"] == {"custom1": "ref-1"}


async def test_what_is_nowhere_does_not_exist(adapter: idnow.Adapter) -> None:
    """Neither a result nor in a list: the provider denies it."""
    with pytest.raises(errors.SessionNotFound):
        await _fetch(adapter, "T1")


async def test_all_who_ask_share_one_reading(
    adapter: idnow.Adapter, lists: _Lists
) -> None:
    """Ten at once read each list once, and all are answered."""
    lists.held["aborted"] = [_entry(f"T{i}") for i in range(10)]

    answers = await asyncio.gather(*(_fetch(adapter, f"T{i}") for i in range(10)))

    assert {answer.origin for answer in answers} == {"aborted"}
    assert lists.reads["aborted"] == lists.reads["cancelled"] == 1


async def test_the_lists_are_read_once_a_minute(
    adapter: idnow.Adapter, lists: _Lists, clock: _Clock
) -> None:
    """Whoever asks, and however often: until the minute is over nothing is read."""
    denied, not_asked = errors.SessionNotFound, errors.Unsent
    for seconds, expected, reads in (
        (0, denied, 1),
        (0, denied, 1),
        (59.999, not_asked, 1),
        (0.001, denied, 2),
        (60, denied, 3),
    ):
        clock.now += int(seconds * 1000)
        with pytest.raises(errors.FetchError) as caught:
            await _fetch(adapter, "T1")
        assert type(caught.value) is expected
        assert lists.reads["aborted"] == reads


async def test_who_had_to_wait_is_served_by_the_next_reading(
    adapter: idnow.Adapter, lists: _Lists, clock: _Clock
) -> None:
    """A reading that another one started counts for all who asked before it."""
    lists.held["aborted"] = [_entry("T1"), _entry("T2"), _entry("T3")]
    await _fetch(adapter, "T1")
    clock.now += 1_000
    since = clock.now
    for number in ("T2", "T3", "T9"):
        with pytest.raises(errors.NotReady):
            await _fetch(adapter, number, since=since)
    clock.now += 60_000
    await _fetch(adapter, "T2", since=since)
    clock.now += 5_000

    assert (await _fetch(adapter, "T3", since=since)).origin == "aborted"
    with pytest.raises(errors.SessionNotFound):
        await _fetch(adapter, "T9", since=since)
    assert lists.reads["aborted"] == 2
    with pytest.raises(errors.NotReady):
        await _fetch(adapter, "T3")


async def test_who_comes_during_a_reading_waits_for_it(
    adapter: idnow.Adapter, lists: _Lists, clock: _Clock
) -> None:
    """The late one shares the reading, but what it says is too old for him."""
    lists.held["aborted"] = [_entry("T1"), _entry("T2")]
    lists.gate = asyncio.Event()
    first = asyncio.create_task(_fetch(adapter, "T1"))
    await lists.asked.wait()
    clock.now += 1
    second = asyncio.create_task(_fetch(adapter, "T2"))
    third = asyncio.create_task(_fetch(adapter, "T9"))
    await lists.denied_thrice.wait()
    lists.gate.set()

    assert (await first).origin == "aborted"
    with pytest.raises(errors.NotReady):
        await second
    with pytest.raises(errors.NotReady):
        await third
    assert lists.reads["aborted"] == lists.reads["cancelled"] == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, errors.ProviderFault),
        (429, errors.RateLimited),
        (400, errors.InvalidResponse),
        (404, errors.InvalidResponse),
    ],
)
async def test_a_failed_reading_fails_all_until_the_next(
    adapter: idnow.Adapter,
    lists: _Lists,
    clock: _Clock,
    status: int,
    expected: type[errors.FetchError],
) -> None:
    """Nothing is denied on the strength of a list that could not be read."""
    lists.status, lists.headers = status, {"Retry-After": "30"}
    for passed in (0, 10_000):
        clock.now += passed
        with pytest.raises(errors.FetchError) as caught:
            await _fetch(adapter, "T1")
        assert type(caught.value) is expected
        assert caught.value.retry_after_ms in (30_000 - passed, None)
        assert caught.value.retry_after_ms or status == 404
    lists.status, lists.headers = 200, {}
    clock.now += 50_000

    with pytest.raises(errors.SessionNotFound):
        await _fetch(adapter, "T1")
    assert lists.reads["cancelled"] == 2


@pytest.mark.parametrize(
    "held", [None, {}, "T1", [_entry("T" * 255) for _ in range(20)]], ids=range(4)
)
async def test_a_list_that_is_none_is_a_bad_answer(
    adapter: idnow.Adapter, lists: _Lists, held: object
) -> None:
    """Another type, or longer than the lists' own limit."""
    lists.held["aborted"] = held

    with pytest.raises(errors.InvalidResponse):
        await _fetch(adapter, "T1")


async def test_odd_entries_are_passed_over(
    adapter: idnow.Adapter, lists: _Lists
) -> None:
    """One strange entry takes nothing from the others."""
    odd: list[object] = [None, [], "T1", {}, _entry("\u212a"), {"a": _entry("T1")}]
    lists.held["aborted"] = [*odd, {"identificationprocess": []}, _entry("T1")]

    assert (await _fetch(adapter, "T1")).origin == "aborted"
    with pytest.raises(errors.SessionNotFound):
        await _fetch(adapter, "k")


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"aborted": "2026-01-01T10:00:00Z", "pending": "2026-01-01T09:00:00Z"}, 0),
        ({"pending": "2026-01-01T10:00:00Z", "aborted": "2026-01-01T09:00:00Z"}, 0),
        ({"cancelled": "2026-01-01T10:00:00Z", "pending": None}, 0),
        ({"cancelled": None, "aborted": None}, 0),
        ({"aborted": None, "pending": None}, 0),
        ({"cancelled": "x", "pending": "2026-01-01T10:00:00Z"}, 1),
    ],
)
async def test_the_latest_of_several_entries_counts(
    adapter: idnow.Adapter,
    lists: _Lists,
    held: dict[str, str | None],
    expected: int,
) -> None:
    """By time; without one cancelled is believed before aborted before pending."""
    for name, at in held.items():
        lists.held[name] = [_entry("T1", at)]

    assert (await _fetch(adapter, "T1")).origin == list(held)[expected]
