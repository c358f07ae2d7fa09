"""Serve the return endpoints behind a real ingress, with a sink in memory."""

import contextlib
import dataclasses
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import orjson
import pytest

from tests.support import keys
from tests.unit.ingress import support
from worker import clock as clocks
from worker import errors, ingress, model, returns
from worker.returns import tickets
from worker.telemetry import log_throttle, metrics

ISSUER = "https://kyc.example.com"
ORIGIN = "https://shop.example.com"
PAGE = f"{ORIGIN}/kyc/done?order=5#part"
SESSION = "a" * 40
OTHER_SESSION = "b" * 40
#: what a page compares with: the hash of the key of the session's decisions
SUBJECT = "identomat:" + hashlib.sha256(f"identomat:{SESSION}".encode()).hexdigest()
BEGIN_ID = "begin-1"
TICKETS = tickets.TicketSigner([b"a secret for tickets of 32 bytes."])
_TOKEN = re.compile(r"[a-z0-9]{40}")


class Telemetry(returns.ReturnTelemetry):
    """Records the reports of the return endpoints."""

    def __init__(self) -> None:
        super().__init__(
            metrics.Metrics([]), log_throttle.LogThrottle(clocks.SystemClock())
        )
        self.returns: list[returns.ReturnReport] = []

    def request_finished(self, report: returns.ReturnReport) -> None:
        """Record *report*."""
        self.returns.append(report)


class Begins:
    """Knows what a test tells it."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    async def find_session(self, source: str, begin_id: str) -> str | None:
        """Return the session, if it was told."""
        if self.failure is not None:
            raise self.failure
        return self.known.get((source, begin_id))


@dataclasses.dataclass(kw_only=True)
class Served:
    """The endpoints, and everything around them."""

    base: str
    http: aiohttp.ClientSession
    sink: support.Sink
    clock: support.Clock
    observer: Telemetry
    #: of the ingress that serves them
    callbacks: support.Telemetry
    begins: Begins

    def ticket(
        self,
        *,
        source: str = "identomat",
        begin_id: str = BEGIN_ID,
        session_id: str | None = None,
        return_url: str | None = PAGE,
    ) -> str:
        """Return a ticket that is good for a minute."""
        return TICKETS.sign(
            tickets.Ticket(
                source=source,
                begin_id=begin_id,
                expires_at=self.clock.at_ms + 60_000,
                session_id=session_id,
                return_url=return_url,
            )
        )

    async def get(self, path: str) -> tuple[aiohttp.ClientResponse, str]:
        """GET *path* and return the answer, which is never followed."""
        async with self.http.get(self.base + path, allow_redirects=False) as answer:
            return answer, await answer.text()

    async def finish(
        self, path: str, origin: str | None = ORIGIN, *, method: str = "POST"
    ) -> tuple[aiohttp.ClientResponse, str]:
        """Do as the page around a widget does."""
        headers = {} if origin is None else {"Origin": origin}
        async with self.http.request(
            method, self.base + path, headers=headers
        ) as answer:
            return answer, await answer.text()

    async def statement(self, text: str) -> dict[str, object]:
        """Check *text* as a company's page would, by the published keys alone."""
        _, published = await self.get("/.well-known/jwks.json")
        return keys.checked(
            text, orjson.loads(published), audience="shop", issuer=ISSUER
        )


def canonical(spelling: object) -> str | None:
    """Return *spelling* if it is a token of Identomat's."""
    fits = isinstance(spelling, str) and _TOKEN.fullmatch(spelling)
    return spelling if isinstance(spelling, str) and fits else None


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return what starts the endpoints; they end with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            *, bounds: returns.Bounds | None = None, max_in_flight: int = 100
        ) -> Served:
            sink, clock, observer, begins = (
                support.Sink(),
                support.Clock(),
                Telemetry(),
                Begins(),
            )
            callbacks = support.Telemetry()
            pages = returns.Returns(
                [
                    returns.ReturnSource(
                        name=name,
                        provider="identomat",
                        environment=model.Environment.TEST,
                        audience="shop",
                        origins=frozenset({ORIGIN}),
                        canonical=canonical,
                        session_query="session_token",
                    )
                    for name in ("identomat", "other")
                ],
                sink,
                honoured=TICKETS,
                signer=returns.ReturnTokenSigner(
                    [keys.new_signing_key(), keys.new_signing_key()],
                    issuer=ISSUER,
                    ttl_ms=300_000,
                ),
                begins=begins,
                observer=observer,
                clock=clock,
                bounds=bounds,
            )
            served = ingress.Ingress(
                [support.source()],
                sink,
                observer=callbacks,
                clock=clock,
                bounds=ingress.Limits(max_in_flight=max_in_flight),
                pages=pages,
            )
            port = await served.start("127.0.0.1", 0)
            stack.push_async_callback(served.drain, 1.0)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return Served(
                base=f"http://127.0.0.1:{port}",
                http=http,
                sink=sink,
                clock=clock,
                observer=observer,
                callbacks=callbacks,
                begins=begins,
            )

        yield start


UNAVAILABLE = errors.KafkaUnavailable("away")
