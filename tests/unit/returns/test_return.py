"""What a browser that comes back gets, and what is believed of it."""

import asyncio

import pytest
import yarl

from tests.unit.returns import conftest as kit
from worker import errors, model, returns
from worker.returns import tickets


def _statement(answer_location: str) -> str | None:
    return yarl.URL(answer_location).query.get("kyc_return")


async def test_the_person_goes_on_with_a_statement(serve: kit.Serve) -> None:
    """A known beginning: one event, a redirect, and a token that a page can check."""
    served = await serve()
    served.begins.known["identomat", kit.BEGIN_ID] = kit.SESSION
    path = f"/return/identomat/{served.ticket()}?session_token={kit.SESSION}"
    answer, _ = await served.get(path)
    assert answer.status == 303
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    location = yarl.URL(answer.headers["Location"])
    assert yarl.URL(kit.PAGE) == location.with_query(order="5")
    assert await served.statement(location.query["kyc_return"]) == {
        "iss": kit.ISSUER,
        "aud": "shop",
        "sub": kit.SUBJECT,
        "iat": served.clock.at_ms // 1000,
        "exp": served.clock.at_ms // 1000 + 300,
    }
    [event] = served.sink.events
    assert event.type is model.EventType.SESSION_RETURNED
    assert (event.session_id, event.begin_id) == (kit.SESSION, kit.BEGIN_ID)
    [found] = served.observer.returns
    assert (found.result, found.event_id) == ("accepted", event.event_id)


async def test_a_ticket_with_a_session_needs_no_look_up(serve: kit.Serve) -> None:
    """What was made after the beginning proves the session by itself."""
    served = await serve()
    answer, _ = await served.get(
        f"/return/identomat/{served.ticket(session_id=kit.SESSION)}"
    )
    statement = _statement(answer.headers["Location"])
    assert statement is not None
    claims = await served.statement(statement)
    assert claims["sub"] == kit.SUBJECT


async def test_the_query_is_never_what_a_statement_says(serve: kit.Serve) -> None:
    """Another session in the query: the statement is about the ticket's own."""
    served = await serve()
    served.begins.known["identomat", kit.BEGIN_ID] = kit.SESSION
    path = f"/return/identomat/{served.ticket()}?session_token={kit.OTHER_SESSION}"
    answer, _ = await served.get(path)
    statement = _statement(answer.headers["Location"])
    assert statement is not None
    claims = await served.statement(statement)
    assert claims["sub"] == kit.SUBJECT
    assert [event.session_id for event in served.sink.events] == [kit.SESSION]


async def test_an_unknown_beginning_only_wakes(serve: kit.Serve) -> None:
    """Whose session the query names, the worker compares; no statement is made."""
    served = await serve()
    path = f"/return/identomat/{served.ticket()}?session_token={kit.OTHER_SESSION}"
    answer, _ = await served.get(path)
    assert answer.status == 303
    assert _statement(answer.headers["Location"]) is None
    [event] = served.sink.events
    assert (event.session_id, event.begin_id) == (kit.OTHER_SESSION, kit.BEGIN_ID)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?session_token=short",
        f"?session_token={kit.SESSION}&session_token={kit.SESSION}",
        "?session_token=%00",
    ],
)
async def test_a_query_against_the_pattern_does_nothing(
    serve: kit.Serve, query: str
) -> None:
    """The person still goes on; nothing is published and nothing stated."""
    served = await serve()
    answer, _ = await served.get(f"/return/identomat/{served.ticket()}{query}")
    assert (answer.status, served.sink.events) == (303, [])
    assert _statement(answer.headers["Location"]) is None
    assert [found.result for found in served.observer.returns] == ["unresolved"]


async def test_tickets_that_are_not_honoured(serve: kit.Serve) -> None:
    """Altered, expired, another source's, none: one page, and the cause only told."""
    served = await serve()
    good = served.ticket()
    foreign = tickets.TicketSigner([b"another secret, of 32 bytes too."]).sign(
        tickets.Ticket(
            source="identomat", begin_id="x", expires_at=served.clock.at_ms + 1000
        )
    )
    pages = set()
    for path in (
        f"/return/identomat/{good[:-4]}AAAA",
        f"/return/identomat/{foreign}",
        f"/return/other/{good}",
        "/return/identomat/none",
    ):
        answer, text = await served.get(path)
        assert answer.status == 404
        pages.add(text)
    served.clock.at_ms += 60_000
    answer, text = await served.get(f"/return/identomat/{good}")
    assert (answer.status, len(pages | {text})) == (404, 1)
    assert [found.cause for found in served.observer.returns] == [
        errors.TicketCause.ALTERED,
        errors.TicketCause.ALTERED,
        errors.TicketCause.OTHER_SOURCE,
        errors.TicketCause.MALFORMED,
        errors.TicketCause.EXPIRED,
    ]
    assert served.sink.events == []


@pytest.mark.parametrize(
    "path",
    [
        "/return/nobody/x",
        "/return/identomat",
        "/return/",
        "/return/identomat/a/b",
        "/return//x",
        "/finished/nobody/x",
        "/return/identomat/" + "x" * 6000,
        "/return/identomat/%ff%00",
    ],
)
async def test_no_path_is_more_than_not_found(serve: kit.Serve, path: str) -> None:
    """Whatever is asked for, it is a 404 and nothing else happens."""
    served = await serve()
    answer, text = await served.get(path)
    expected = 405 if path.startswith("/finished/identomat") else 404
    assert (answer.status, served.sink.events) == (expected, [])
    assert "x" * 100 not in text


async def test_a_page_that_is_no_longer_configured_is_not_gone_to(
    serve: kit.Serve,
) -> None:
    """Origins are compared when the person comes, exactly; so is none at all."""
    served = await serve()
    for page in (
        None,
        "https://evil.example.com/",
        "https://shop.example.com.evil.example/",
        "http://shop.example.com/",
        "https://shop.example.com:8443/",
    ):
        ticket = served.ticket(session_id=kit.SESSION, return_url=page)
        answer, text = await served.get(f"/return/identomat/{ticket}")
        assert (answer.status, "Location" in answer.headers) == (200, False)
        assert "close this window" in text
    assert len(served.sink.events) == 5


async def test_without_kafka_the_person_goes_on(serve: kit.Serve) -> None:
    """The hint is lost and counted; the deadline finds what it would have found."""
    served = await serve()
    served.sink.failure = kit.UNAVAILABLE
    ticket = served.ticket(session_id=kit.SESSION)
    answer, _ = await served.get(f"/return/identomat/{ticket}")
    assert answer.status == 303
    assert _statement(answer.headers["Location"]) is not None
    assert [found.result for found in served.observer.returns] == ["unavailable"]


async def test_a_stuck_kafka_holds_nobody_for_long(serve: kit.Serve) -> None:
    """The wait for an acknowledgement has its own, short bound."""
    served = await serve(bounds=returns.Bounds(ack_timeout_s=0.05))
    served.sink.gate = asyncio.Event()
    ticket = served.ticket(session_id=kit.SESSION)
    answer, _ = await served.get(f"/return/identomat/{ticket}")
    assert answer.status == 303
    assert [found.result for found in served.observer.returns] == ["unavailable"]


async def test_a_fault_of_ours_is_503(serve: kit.Serve) -> None:
    """What nobody foresaw is reported by its place, and answered with Retry-After."""
    served = await serve()
    served.begins.failure = RuntimeError("nobody foresaw this")
    answer, text = await served.get(f"/return/identomat/{served.ticket()}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "foresaw" not in text
    assert [report.fault is not None for report in served.callbacks.reports] == [True]


async def test_the_bound_of_the_ingress_holds_here_too(serve: kit.Serve) -> None:
    """Past it the person's browser is asked to come again."""
    served = await serve(max_in_flight=1)
    served.sink.gate = asyncio.Event()
    path = f"/return/identomat/{served.ticket(session_id=kit.SESSION)}"
    first = asyncio.create_task(served.get(path))
    await served.sink.entered.wait()
    answer, _ = await served.get(path)
    assert answer.status == 503
    served.sink.gate.set()
    answer, _ = await first
    assert answer.status == 303


async def test_the_return_is_a_get(serve: kit.Serve) -> None:
    """Another method is refused before the ticket is looked at."""
    served = await serve()
    path = f"/return/identomat/{served.ticket(session_id=kit.SESSION)}"
    answer, _ = await served.finish(path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    answer, _ = await served.finish("/.well-known/jwks.json")
    assert (answer.status, served.sink.events) == (405, [])


async def test_one_ticket_writes_few_events(serve: kit.Serve) -> None:
    """Past the rate the person still goes on, with a statement, and wakes nothing."""
    served = await serve(bounds=returns.Bounds(finished_per_minute=2))
    path = f"/return/identomat/{served.ticket(session_id=kit.SESSION)}"
    answers = [(await served.get(path))[0] for _ in range(4)]
    assert [answer.status for answer in answers] == [303] * 4
    assert all(_statement(answer.headers["Location"]) for answer in answers)
    assert len(served.sink.events) == 2
    results = [found.result for found in served.observer.returns]
    assert results == ["accepted", "accepted", "limited", "limited"]
    answer, _ = await served.finish(path.replace("return", "finished"))
    assert answer.status == 429  # the limit is of the session, whatever the way
