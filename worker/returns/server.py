"""
Take people who come back: ``/return``, ``/finished``, and the keys to check it.

A return is a hint that the provider may have a result, and no more. It is believed
by its ticket alone: whatever the browser adds can only wake a session that carries
the ticket's own beginning.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Iterable
from http import HTTPStatus

from aiohttp import hdrs, web

from worker import clock as clocks
from worker import codec, errors, http_server, model, ports, rate_limiter
from worker.returns import responses, telemetry, tickets, tokens
from worker.settings import urls
from worker.telemetry import labels, logs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReturnSource:
    """One source, as the person's browser meets it."""

    name: str
    provider: str
    environment: model.Environment
    #: whose the statements are
    audience: str
    #: of the company's pages, exactly as browsers write them
    origins: frozenset[str]
    #: from a spelling to the session id, None against the provider's pattern
    canonical: Callable[[object], str | None]
    #: the parameter in which the provider's redirect names the session, if it does
    session_query: str | None = None


_JWKS = "/.well-known/jwks.json"
#: the way, source and ticket
_PARTS = 3
#: what a person's browser asks for
ROUTES = ("/return/{source}/{ticket}", "/finished/{source}/{ticket}")
_WAYS = tuple(route.split("/")[1] for route in ROUTES)
_Result = labels.ReturnResult


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Every bound of the return endpoints."""

    #: for Kafka's acknowledgement; the person goes on without it
    ack_timeout_s: float = 2.0
    #: of one begun session, at ``/return`` and ``/finished`` together
    finished_per_minute: int = 10


@dataclasses.dataclass(slots=True)
class _RequestContext:
    """What becomes known of one request while it is handled."""

    way: labels.ReturnEndpoint
    of: ReturnSource | None = None
    result: labels.ReturnResult = _Result.REFUSED
    cause: errors.TicketCause | None = None
    session: str | None = None
    event_id: str | None = None


class Returns:
    """The return endpoints of all sources; answers everything, raises nothing."""

    def __init__(
        self,
        sources: Iterable[ReturnSource],
        sink: ports.EventSink,
        *,
        honoured: tickets.TicketSigner,
        signer: tokens.ReturnTokenSigner,
        begins: ports.SessionLookup,
        observer: telemetry.ReturnTelemetry,
        clock: clocks.Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._sources = {of.name: of for of in sources}
        self._sink = sink
        self._tickets = honoured
        self._signer = signer
        self._begins = begins
        self._observer = observer
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._limiter = rate_limiter.RateLimiter(self._bounds.finished_per_minute)

    def takes(self, path: str) -> bool:
        """Return whether *path*, as sent, is one of ours."""
        return path == _JWKS or http_server.segments(path)[:1] in (
            [each] for each in _WAYS
        )

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one request and tell the observer; no input makes it raise."""
        path = request.rel_url.raw_path
        if path == _JWKS:
            if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
                return _wrong_method("GET")
            return responses.jwks_response(self._signer.jwks)
        now = asyncio.get_running_loop().time
        started = now()
        first, *rest = http_server.segments(path)
        visit = _RequestContext(labels.ReturnEndpoint(first))
        response = await self._handle_return(request, visit, rest)
        self._observer.request_finished(
            telemetry.ReturnReport(
                endpoint=visit.way,
                result=visit.result,
                status=response.status,
                source=visit.of.name if visit.of else labels.UNKNOWN_SOURCE,
                cause=visit.cause,
                session=visit.session,
                event_id=visit.event_id,
                duration_s=now() - started,
            )
        )
        return response

    async def _handle_return(
        self, request: web.BaseRequest, visit: _RequestContext, rest: list[str]
    ) -> web.Response:
        of = self._sources.get(rest[0]) if len(rest) == _PARTS - 1 else None
        if of is None:
            return responses.refused()
        visit.of = of
        if visit.way is labels.ReturnEndpoint.FINISHED:
            return await self._finished(request, visit, of, rest[1])
        if request.method != hdrs.METH_GET:
            return _wrong_method(hdrs.METH_GET)
        try:
            ticket = self._tickets.verify(rest[1], of.name, self._clock.now_ms())
        except errors.InvalidTicket as refused:
            visit.cause = refused.cause
            return responses.refused()
        statement = await self._record_return(visit, of, ticket, _named(request, of))
        address = ticket.return_url
        if address is None or not _is_of(of, address):
            return responses.thank_you_page()
        return responses.redirect(address, statement)

    async def _finished(
        self,
        request: web.BaseRequest,
        visit: _RequestContext,
        of: ReturnSource,
        text: str,
    ) -> web.Response:
        """Take the word of the page around an embedded widget."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and origin not in of.origins:
            visit.result = _Result.FOREIGN_ORIGIN
            return responses.problem(
                HTTPStatus.FORBIDDEN, "This origin is not one of the source's."
            )
        cors: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN}
        if origin is not None:
            cors[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        if request.method == hdrs.METH_OPTIONS:
            visit.result = _Result.PREFLIGHT
            return responses.preflight_response(cors)
        if request.method != hdrs.METH_POST:
            return _wrong_method("POST, OPTIONS")
        try:
            ticket = self._tickets.verify(text, of.name, self._clock.now_ms())
        except errors.InvalidTicket as refused:
            visit.cause = refused.cause
            return responses.problem(
                HTTPStatus.NOT_FOUND, "There is no such ticket, or no longer.", cors
            )
        statement = await self._record_return(visit, of, ticket, None)
        if visit.result is _Result.LIMITED:
            return responses.problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many of these: the result is being looked for already.",
                {**cors, hdrs.RETRY_AFTER: "60"},
            )
        return responses.finished(statement, cors)

    async def _record_return(
        self,
        visit: _RequestContext,
        of: ReturnSource,
        ticket: tickets.Ticket,
        named: str | None,
    ) -> str | None:
        """
        Wake the session, and return the statement about it if the ticket proves it.

        *named* is what the browser says: good enough for a wake-up that the worker
        compares with the beginning, and never for a statement.
        """
        proven = ticket.session_id
        if proven is None:
            proven = await self._begins.find_session(of.name, ticket.begin_id)
        session_id = proven or named
        if session_id is None:
            visit.result = _Result.UNRESOLVED
            return None
        key = model.SessionKey(of.name, session_id)
        visit.session = logs.session_hash(*key)
        begun = (of.name, ticket.begin_id)
        if self._limiter.try_acquire(self._clock.now_ms(), begun):
            await self._publish(visit, of, ticket, session_id)
        else:  # it was woken a moment ago
            visit.result = _Result.LIMITED
        if proven is None:
            return None
        return self._signer.make(key, of.audience, self._clock.now_ms())

    async def _publish(
        self,
        visit: _RequestContext,
        of: ReturnSource,
        ticket: tickets.Ticket,
        session_id: str,
    ) -> None:
        """Publish the hint; without Kafka the person goes on all the same."""
        event = model.Event(
            event_id=model.random_id(),
            type=model.EventType.SESSION_RETURNED,
            environment=of.environment,
            source=of.name,
            provider=of.provider,
            session_id=session_id,
            provider_session_id=session_id,
            begin_id=ticket.begin_id,
            received_at=self._clock.now_ms(),
            traceparent=codec.new_traceparent(),
        )
        visit.result = _Result.UNAVAILABLE
        with contextlib.suppress(errors.TransportError, TimeoutError):
            async with asyncio.timeout(self._bounds.ack_timeout_s):
                await self._sink.publish(event)
            visit.event_id = event.event_id
            visit.result = _Result.ACCEPTED


def _named(request: web.BaseRequest, of: ReturnSource) -> str | None:
    """Return the session that the provider's query names, if it has the pattern."""
    if of.session_query is None:
        return None
    values = request.query.getall(of.session_query, [])
    return of.canonical(values[0]) if len(values) == 1 else None


def _is_of(of: ReturnSource, address: str) -> bool:
    """Return whether *address*, which we have signed, is still one of the source's."""
    try:
        return urls.origin(address) in of.origins
    except ValueError:
        return False


def _wrong_method(allowed: str) -> web.Response:
    return responses.problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This endpoint does not take this method.",
        {hdrs.ALLOW: allowed},
    )
