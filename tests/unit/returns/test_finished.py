"""What the page around an embedded widget may say, and what it gets."""

import orjson
import pytest

from tests.unit.returns import conftest as kit
from worker import returns


async def test_a_finished_widget_wakes_its_session(serve: kit.Serve) -> None:
    """One event and a statement, for a page of a configured origin."""
    served = await serve()
    ticket = served.ticket(session_id=kit.SESSION, return_url=None)
    answer, text = await served.finish(f"/finished/identomat/{ticket}")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (
        200,
        kit.ORIGIN,
    )
    assert answer.headers["Vary"] == "Origin"
    claims = await served.statement(orjson.loads(text)["kyc_return"])
    assert claims["sub"] == kit.SUBJECT
    [event] = served.sink.events
    assert (event.session_id, event.begin_id) == (kit.SESSION, kit.BEGIN_ID)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.com",
        "http://shop.example.com",
        "https://shop.example.com:444",
        "null",
        "https://SHOP.example.com",
    ],
)
async def test_a_foreign_page_is_refused(serve: kit.Serve, origin: str) -> None:
    """Neither the request nor its preflight gets a header that would allow it."""
    served = await serve()
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    for method in ("POST", "OPTIONS"):
        answer, _ = await served.finish(path, origin, method=method)
        assert (answer.status, served.sink.events) == (403, [])
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_preflight_is_answered(serve: kit.Serve) -> None:
    """A page of ours may send JSON, although nothing of it is read."""
    served = await serve()
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    answer, _ = await served.finish(path, method="OPTIONS")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert served.sink.events == []


async def test_no_browser_needs_no_origin(serve: kit.Serve) -> None:
    """A company's server may say so itself: the ticket is what counts."""
    served = await serve()
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    answer, _ = await served.finish(path, None)
    assert (answer.status, len(served.sink.events)) == (200, 1)
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_many_hints_are_limited(serve: kit.Serve) -> None:
    """Past its own rate a session gets 429, until one more is free; others do not."""
    served = await serve(bounds=returns.Bounds(finished_per_minute=3))
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    statuses = [(await served.finish(path))[0].status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    for source, begin_id in (("other", kit.BEGIN_ID), ("identomat", "begin-2")):
        ticket = served.ticket(source=source, begin_id=begin_id, session_id=kit.SESSION)
        answer, _ = await served.finish(f"/finished/{source}/{ticket}")
        assert answer.status == 200
    assert [found.result for found in served.observer.returns][3:] == [
        "limited",
        "limited",
        "accepted",
        "accepted",
    ]
    served.clock.at_ms += 19_999
    assert (await served.finish(path))[0].status == 429
    served.clock.at_ms += 1
    ticket = served.ticket(session_id=kit.SESSION)
    answer, _ = await served.finish(f"/finished/identomat/{ticket}")
    assert answer.status == 200


async def test_a_bad_ticket_spends_no_limit(serve: kit.Serve) -> None:
    """Whoever has none takes nothing from who has one."""
    served = await serve(bounds=returns.Bounds(finished_per_minute=1))
    for _ in range(5):
        await served.finish("/finished/identomat/none")
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    assert (await served.finish(path))[0].status == 200


async def test_a_bad_ticket_is_a_problem(serve: kit.Serve) -> None:
    """The page learns that there is none, and may read so."""
    served = await serve()
    answer, text = await served.finish("/finished/identomat/none")
    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == kit.ORIGIN
    assert orjson.loads(text)["status"] == 404


async def test_another_method_is_refused(serve: kit.Serve) -> None:
    """The widget's page posts; a link that somebody opens does nothing."""
    served = await serve()
    path = f"/finished/identomat/{served.ticket(session_id=kit.SESSION)}"
    answer, _ = await served.get(path)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert served.sink.events == []
