"""Markers planted everywhere in a request come out nowhere."""

import io
import logging

import orjson
import prometheus_client
import pytest

from tests.unit.ingress import conftest, support
from worker import ingress
from worker.ingress import telemetry
from worker.telemetry import log_throttle, logs, metrics

_MARK = "PlantedMarker"
_SECRET = b"PlantedMarkerSecret, of 32 bytes or more"
_PERSON = {
    "firstname": f"{_MARK}First",
    "document": {"number": f"{_MARK}Number", f"{_MARK}Key": [f"{_MARK}Deep"]},
    f"{_MARK}Name": True,
}
_HEADERS = {
    "Authorization": f"Bearer {_MARK}Bearer",
    "Cookie": f"session={_MARK}Cookie",
    "User-Agent": f"{_MARK}Agent",
    "X-Forwarded-For": f"{_MARK}Address",
    "traceparent": f"00-{_MARK}-{_MARK}-01",
    f"X-{_MARK}": f"{_MARK}Value",
}


@pytest.fixture
def stream() -> io.StringIO:
    """Return where the log goes."""
    return io.StringIO()


def _watched(served: support.Served, stream: io.StringIO) -> metrics.Metrics:
    """Let the real log and the real metrics watch *served*."""
    counters = metrics.Metrics({"signed", "by_url"})
    logs.configure(console=False, stream=stream)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    served.ingress._observer = telemetry.IngressTelemetry(
        counters, log_throttle.LogThrottle(served.clock)
    )
    served.ingress._acceptor._observer = served.ingress._observer
    return counters


def _sources() -> tuple[ingress.IngressSource, ingress.IngressSource]:
    """Return sources whose every secret is a marker."""
    return (
        support.source(
            hmac_keys=(_SECRET,),
            body_key_field="callbackApiKey",
            body_keys=(f"{_MARK}BodyKey".encode(),),
            authenticators=frozenset({"hmac_body", "body_key"}),
        ),
        support.url_source(tokens=(support.token("by_url", _SECRET).encode(),)),
    )


@pytest.mark.parametrize(
    "document",
    [
        {"session": "a"},
        {"kind": "ignore"},
        {"kind": "message", "text": f"{_MARK}Code"},
        {"kind": "crash", "session": f"{_MARK}Crash"},
        {"kind": "unheard-of"},
        {"session": [f"{_MARK}Session"]},
        {},
    ],
)
@pytest.mark.parametrize("key", [f"{_MARK}BodyKey", f"{_MARK}Wrong", None])
async def test_documents(
    serve: conftest.Serve,
    stream: io.StringIO,
    document: dict[str, object],
    key: str | None,
) -> None:
    """No value of a body, header or query gets out, whatever becomes of it."""
    served = await serve(*_sources())
    counters = _watched(served, stream)
    body = orjson.dumps({"callbackApiKey": key, **_PERSON, **document})
    headers = _HEADERS | support.signed(body, _SECRET)

    replies = [
        await served.send(f"signed?{_MARK}={_MARK}Query", body, headers=headers),
        await served.send(f"signed?{_MARK}={_MARK}Query", body, headers=_HEADERS),
    ]

    _nothing_leaked(served, stream, counters, replies)


@pytest.mark.parametrize(
    "path",
    [
        f"by_url/{support.token('by_url', _SECRET)}",
        f"by_url/{_MARK}Token",
        f"signed/{_MARK}Token",
        f"{_MARK}Source",
        f"{_MARK}Source/{_MARK}Token?{_MARK}=1",
    ],
)
@pytest.mark.parametrize("body", [orjson.dumps(_PERSON), f'{{"a":"{_MARK}'.encode()])
async def test_paths(
    serve: conftest.Serve, stream: io.StringIO, path: str, body: bytes
) -> None:
    """No path gets out: a segment of it may be a secret."""
    served = await serve(*_sources())
    counters = _watched(served, stream)

    replies = [
        await served.send(path, body, headers=_HEADERS, method=method)
        for method in ("POST", "PUT")
    ]

    _nothing_leaked(served, stream, counters, replies)


@pytest.mark.parametrize(
    "request_bytes",
    [
        f"{_MARK}\r\n\r\n".encode(),
        f"POST /webhooks/{_MARK} HTTP/9\r\n\r\n".encode(),
        f"POST / HTTP/1.1\r\nHost: a\r\n{_MARK}\r\n\r\n".encode(),
        f"POST / HTTP/1.1\r\nHost: a\r\nX: {_MARK * 1000}\r\n\r\n".encode(),
        f"POST / HTTP/1.1\r\nContent-Length: {_MARK}\r\n\r\n".encode(),
        (
            "POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
            f"Transfer-Encoding: chunked\r\n\r\n{_MARK}\r\n"
        ).encode(),
    ],
)
async def test_malformed_requests(
    serve: conftest.Serve,
    stream: io.StringIO,
    request_bytes: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What the HTTP library cannot parse it does not quote either."""
    served = await serve(*_sources())
    counters = _watched(served, stream)

    reply = support.Reply(400, {}, await served.raw(request_bytes))

    _nothing_leaked(served, stream, counters, [reply])
    assert _MARK not in "".join(capfd.readouterr())


def _nothing_leaked(
    served: support.Served,
    stream: io.StringIO,
    counters: metrics.Metrics,
    replies: list[support.Reply],
) -> None:
    """Assert that no marker is in anything that leaves the process."""
    token = support.token("by_url", _SECRET)
    everything = {
        "log": stream.getvalue(),
        "metrics": prometheus_client.generate_latest(counters.scrape()).decode(),
        "events": repr(served.sink.events),
        "dead letters": repr(served.sink.letters),
        "answers": repr(replies),
    }
    assert len(replies) == everything["log"].count('"event":"callback.')
    for place, text in everything.items():
        assert _MARK not in text, place
        assert token not in text, place
