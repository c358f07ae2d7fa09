"""A source, a sink and a provider for the ingress; the server and sockets are real."""

import asyncio
import dataclasses
from typing import Any

import aiohttp
import orjson

from worker import clock as clocks
from worker import errors, http_server, ingress, model, signing
from worker.telemetry import log_throttle, metrics

KEY = b"the key in use, of 32 bytes or more"
OLD_KEY = b"the key before, of 32 bytes or more"
SCHEME = signing.BodyHmac("X-Verification-Signature")
NOW_MS = 1_790_000_000_000
SESSION = "5f0c8e34-0d8f-4a55-9c1c-3a4c0f2a7d11"
DOCUMENT = {"session": SESSION, "kind": "done"}
BODY = orjson.dumps(DOCUMENT)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.at_ms

    async def sleep(self, seconds: float) -> None:
        """Move on without waiting."""
        self.at_ms += int(seconds * 1000)


class Sink:
    """Records what was published; fails, or holds, when told to."""

    def __init__(self) -> None:
        self.events: list[model.Event] = []
        self.letters: list[model.DeadLetter] = []
        self.failure: BaseException | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def publish(self, event: model.Event) -> None:
        """Record *event* once the gate is open."""
        await self._pass()
        self.events.append(event)

    async def dead_letter(self, letter: model.DeadLetter) -> None:
        """Record *letter* once the gate is open."""
        await self._pass()
        self.letters.append(letter)

    async def _pass(self) -> None:
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure


class Telemetry(ingress.IngressTelemetry):
    """Records the reports."""

    def __init__(self) -> None:
        super().__init__(
            metrics.Metrics([]), log_throttle.LogThrottle(clocks.SystemClock())
        )
        self.reports: list[ingress.Report] = []
        self.closings: list[http_server.CloseReason] = []
        self.alarms: list[tuple[str, str]] = []
        self.reported = asyncio.Event()

    @property
    def last(self) -> ingress.Report:
        """Return the last report."""
        return self.reports[-1]

    def request_finished(self, report: ingress.Report) -> None:
        """Record *report*."""
        self.reports.append(report)
        self.reported.set()

    def closed(self, why: http_server.CloseReason) -> None:
        """Record why a connection was closed."""
        self.closings.append(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Record the alarm."""
        self.alarms.append((kind.value, source))


class Forwarder:
    """Records what it delivers, if it does."""

    def __init__(self, *, delivers: bool = True) -> None:
        self.delivers = delivers
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.closed = False

    async def forward(self, url: str, document: dict[str, Any]) -> bool:
        """Record the message and return what was agreed."""
        self.messages.append((url, document))
        return self.delivers

    async def close(self) -> None:
        """Note that it is closed."""
        self.closed = True


def normalise(callback: model.VerifiedCallback) -> model.Normalised:
    """Speak the smallest provider there is: ``session`` and ``kind``."""
    document = callback.document
    if document is None:
        document = {"session": callback.query.get("session"), "kind": "query"}
    match document.get("kind"):
        case "ignore":
            return model.IgnoredCallback("ignore")
        case "challenge":
            return model.IgnoredCallback("challenge", str(document["challenge"]))
        case "message":
            return model.ForwardedMessage("message", document)
        case "crash":
            raise KeyError(document["session"])
        case "unheard-of":
            raise errors.UnmappableCallback(("kind",), 2, acknowledge=True)
        case _:
            session = document.get("session")
    if not isinstance(session, str) or not session.isascii():
        raise errors.UnmappableCallback(("session",), len(document) - 1)
    return model.WakeUp(
        session_id=session.lower(),
        provider_session_id=session,
        provider_event="done",
        claim={"decision": "approved"},
    )


def source(name: str = "signed", **changes: Any) -> ingress.IngressSource:  # noqa: ANN401 -- any field
    """Return a source with ``hmac_body``, but for *changes*."""
    standard = ingress.IngressSource(
        name=name,
        provider="fake",
        environment=model.Environment.TEST,
        normalise=normalise,
        authenticators=frozenset({"hmac_body"}),
        scheme=SCHEME,
        hmac_keys=(KEY, OLD_KEY),
    )
    return dataclasses.replace(standard, **changes)


def token(name: str, key: bytes = KEY) -> str:
    """Return the token of the test source *name*."""
    return signing.derive_url_token(key, "test", name)


def url_source(name: str = "by_url", **changes: Any) -> ingress.IngressSource:  # noqa: ANN401 -- any field
    """Return a source with ``signed_url``, but for *changes*."""
    tokens = tuple(token(name, key).encode() for key in (KEY, OLD_KEY))
    return source(
        name,
        **{"authenticators": frozenset({"signed_url"}), "tokens": tokens} | changes,
    )


def signed(body: bytes = BODY, key: bytes = KEY) -> dict[str, str]:
    """Return the header that makes *body* authentic."""
    return {SCHEME.header: SCHEME.sign(key, body)}


@dataclasses.dataclass(slots=True, kw_only=True)
class Served:
    """A running ingress, and everything around it."""

    port: int
    ingress: ingress.Ingress
    sink: Sink
    observer: Telemetry
    clock: Clock
    forwarder: Forwarder
    http: aiohttp.ClientSession

    async def send(
        self,
        path: str = "signed",
        body: bytes | None = BODY,
        *,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        method: str = "POST",
        root: str = "/webhooks/",
    ) -> "Reply":
        """Send one request, signed unless *headers* are given, and return the reply."""
        if headers is None:
            headers = signed(body or b"")
        async with self.http.request(
            method,
            f"http://127.0.0.1:{self.port}{root}{path}",
            data=body,
            headers=headers,
        ) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def raw(self, *pieces: bytes, end: bool = False) -> bytes:
        """Write *pieces* to a socket and return all that comes back until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if end:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 -- whatever JSON holds
        """Return the parsed body."""
        return orjson.loads(self.body)

    @property
    def comparable(self) -> tuple[object, ...]:
        """Return everything but the date."""
        headers = {k: v for k, v in self.headers.items() if k != "Date"}
        return (self.status, tuple(sorted(headers.items())), self.body)
