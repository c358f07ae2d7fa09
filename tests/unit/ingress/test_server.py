"""The webhook endpoints over real sockets: every answer, in its order."""

import hashlib
import re
import uuid

import pytest

from tests.unit.ingress import conftest, support
from worker import ingress

_PROBLEM = "application/problem+json"


async def test_accepted(serve: conftest.Serve) -> None:
    """An authentic callback is published, and answered with its event's id."""
    served = await serve()

    reply = await served.send()

    [event] = served.sink.events
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert {"status": "accepted", "event_id": event.event_id} == reply.json
    assert str(uuid.UUID(event.event_id)) == event.event_id
    assert (
        event.source,
        event.provider,
        event.environment,
    ) == ("signed", "fake", "test")
    assert (
        event.session_id,
        event.provider_session_id,
    ) == (support.SESSION, support.SESSION)
    assert hashlib.sha256(support.BODY).hexdigest() == event.digest
    assert event.received_at == support.NOW_MS
    assert event.claim == {"decision": "approved"}


async def test_trace_starts_here(serve: conftest.Serve) -> None:
    """A traceparent from the internet is not trusted; ours is not sampled."""
    served = await serve()
    theirs = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

    await served.send(headers=support.signed() | {"traceparent": theirs})
    await served.send()

    ours = [event.traceparent for event in served.sink.events]
    assert theirs not in ours
    assert len(set(ours)) == 2
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", t or "") for t in ours)


async def test_each_delivery_is_an_event_of_its_own(serve: conftest.Serve) -> None:
    """A repeated callback is a second event with the same digest."""
    served = await serve()

    await served.send()
    await served.send()

    first, second = served.sink.events
    assert first.event_id != second.event_id
    assert first.digest == second.digest


async def test_ignored(serve: conftest.Serve) -> None:
    """An authentic message that decides nothing is answered so, and not published."""
    served = await serve()
    body = b'{"kind":"ignore"}'

    reply = await served.send(body=body)

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert served.sink.events == []
    assert ingress.Result.IGNORED is served.observer.last.result


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        "/webhooks/",
        "/webhooks//",
        "/webhooks/unknown",
        "/webhooks/unknown/token",
        "/webhooks/SIGNED",
        "/webhooks/signed/token",
        "/webhooks/by_url/a/b",
        "/webhooks/%73igned",
        "/webhooks/signed%2f",
        "/webhooks/..%2fwebhooks/signed",
        "/Webhooks/signed",
        "/livez",
    ],
)
async def test_unknown_path(serve: conftest.Serve, path: str) -> None:
    """What is no endpoint is 404, and so is a token where none is in use."""
    served = await serve()

    reply = await served.raw(
        f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Content-Length: 0\r\n\r\n".encode()
    )

    assert reply.startswith(b"HTTP/1.1 404 ")
    assert _PROBLEM.encode() in reply
    assert served.sink.events == []


async def test_unknown_source_has_one_label(serve: conftest.Serve) -> None:
    """Outsiders choose no metric label, whatever name they try."""
    served = await serve()

    await served.send("a_name_of_theirs")

    assert served.observer.last.source == "unknown"
    assert "a_name_of_theirs" not in repr(served.observer.reports)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_unlisted_method(serve: conftest.Serve, method: str) -> None:
    """An unlisted method is 405 with Allow, before any authentication."""
    served = await serve()

    reply = await served.send(method=method, headers={})

    assert reply.status == 405
    assert reply.headers["Allow"] == "POST"
    assert reply.headers["Content-Type"] == _PROBLEM


async def test_head_is_answered_without_a_body(serve: conftest.Serve) -> None:
    """A HEAD gets the status and no body."""
    served = await serve()

    replies = [
        await served.send(path, method="HEAD", headers={}, body=None)
        for path in ("signed", "signed?a=b")
    ]

    assert [(reply.status, reply.body) for reply in replies] == [(200, b""), (405, b"")]


async def test_one_answer_for_every_cause(serve: conftest.Serve) -> None:
    """Nothing in a 401 tells what was wrong; the report does."""
    by_url = support.url_source(
        authenticators=frozenset({"signed_url", "basic", "hmac_body", "body_key"}),
        basic_credentials=(b"user:password",),
        body_key_field="key",
        body_keys=(b"body key",),
    )
    served = await serve(by_url)
    right = f"by_url/{support.token('by_url')}"
    basic = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}

    replies = [
        await served.send("by_url", headers={}),
        await served.send("by_url/wrong", headers={}),
        await served.send(right, headers={}),
        await served.send(right, headers={"Authorization": "Basic eDp5"}),
        await served.send(right, headers=basic),
        await served.send(right, headers=basic | {support.SCHEME.header: "zz"}),
        await served.send(right, headers=basic | {support.SCHEME.header: "0" * 64}),
        await served.send(right, headers=basic | support.signed()),
        await served.send(
            right, b'{"key":1}', headers=basic | support.signed(b'{"key":1}')
        ),
    ]

    assert [report.cause for report in served.observer.reports] == [
        "missing_token",
        "wrong_token",
        "missing_basic",
        "wrong_basic",
        "missing_signature",
        "malformed_signature",
        "wrong_signature",
        "missing_body_key",
        "wrong_body_key",
    ]
    assert len({reply.comparable for reply in replies}) == 1
    assert replies[0].status == 401
    assert replies[0].json["instance"] == "/webhooks/{source}"
    assert "WWW-Authenticate" in replies[0].headers
    assert served.sink.events == []


async def test_token_is_read_from_the_path(serve: conftest.Serve) -> None:
    """A signed URL of either secret passes, and tells which it was."""
    served = await serve()
    tokens = [support.token("by_url", key) for key in (support.KEY, support.OLD_KEY)]

    statuses = [(await served.send(f"by_url/{t}", headers={})).status for t in tokens]

    assert statuses == [200, 200]
    assert [r.matches[0].position for r in served.observer.reports] == [0, 1]
    assert served.observer.last.matches[0].authenticator == "signed_url"


async def test_percent_encoded_token_is_wrong(serve: conftest.Serve) -> None:
    """The token is compared as the text that stands in the path."""
    served = await serve()
    token = support.token("by_url")
    path = f"/webhooks/by_url/%{ord(token[0]):02x}{token[1:]}"

    reply = await served.raw(
        f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Content-Length: {len(support.BODY)}\r\n\r\n".encode()
        + support.BODY
    )

    assert reply.startswith(b"HTTP/1.1 401 ")


async def test_problem_names_the_template(serve: conftest.Serve) -> None:
    """A problem document has its five members, and never the path."""
    served = await serve()
    token = support.token("by_url")

    reply = await served.send(f"by_url/{token}", b"[]", headers={})

    assert reply.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The body is not one JSON object.",
        "instance": "/webhooks/{source}/{token}",
    }
    assert token.encode() not in reply.body


async def test_get_with_the_session_in_the_query(serve: conftest.Serve) -> None:
    """A GET without a body wakes, where the source says which parameter to read."""
    of = support.url_source(methods=("POST", "GET"), session_id_query="session")
    served = await serve(of)
    path = f"by_url/{support.token('by_url')}?session={support.SESSION}&other=1"

    reply = await served.send(path, None, method="GET", headers={})

    assert reply.status == 200
    assert served.sink.events[0].session_id == support.SESSION


@pytest.mark.parametrize("query", ["", "?session=a&session=b", "?other=a"])
async def test_get_without_one_session(serve: conftest.Serve, query: str) -> None:
    """A GET that names no session, or two, is authentic and not mappable."""
    of = support.url_source(methods=("GET",), session_id_query="session")
    served = await serve(of)
    path = f"by_url/{support.token('by_url')}{query}"

    reply = await served.send(path, None, method="GET", headers={})

    assert reply.status == 503
    assert served.sink.events == []


async def test_signature_over_no_body_proves_no_query(serve: conftest.Serve) -> None:
    """Where the body is what is signed, a request without one is 400."""
    of = support.source(methods=("GET",), session_id_query="session")
    served = await serve(of)

    reply = await served.send("signed?session=a", b"", method="GET")

    assert reply.status == 400
    assert served.sink.events == []


async def test_fault_of_ours(serve: conftest.Serve) -> None:
    """An exception that nobody foresaw is 503, and only its class and place told."""
    served = await serve()

    reply = await served.send(body=b'{"kind":"crash","session":"a marker"}')

    assert reply.status == 503
    assert served.ingress.in_flight == 0
    report = served.observer.last
    assert ingress.Result.FAILED is report.result
    assert (report.fault or "").startswith("KeyError in tests.unit.ingress.support:")
    assert "a marker" not in repr(report)
