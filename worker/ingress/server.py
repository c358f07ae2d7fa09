"""Serve the webhook endpoints: one request in, one answer and one report out."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from aiohttp import hdrs, web

from worker import clock as clocks
from worker import errors, ports
from worker.ingress import (
    accept,
    answers,
    authenticate,
    body,
    connection,
    forward,
    limits,
    observe,
    requests,
    source,
)
from worker.ingress import pages as pages_of
from worker.settings import types
from worker.telemetry import labels

_BACKLOG = 1024
#: while draining: for a connection's first request, and to close what is left
_FRESH_S = 0.5
_LAST_S = 0.2
#: "", "webhooks", source and, for a signed URL, its token
_PARTS = (3, 4)
_PREFIX = ["", "webhooks"]


class _Known:
    """What becomes known of one request while it is handled."""

    __slots__ = ("matches", "of", "route", "size_bytes", "token")

    def __init__(self) -> None:
        self.of: source.IngressSource | None = None
        self.route: str | None = None
        self.token: str | None = None
        self.matches: tuple[observe.Match, ...] = ()
        self.size_bytes: int | None = None


class Ingress:
    """
    The webhook endpoints of all sources.

    *sink* has the last word on every 2xx. Any fault of our own is 503 with
    Retry-After, whatever it is: providers give up on 4xx.
    """

    def __init__(
        self,
        sources: Iterable[source.IngressSource],
        sink: ports.EventSink,
        *,
        observer: observe.Observer,
        clock: clocks.Clock,
        forwarder: forward.Forwarder | None = None,
        bounds: limits.Limits | None = None,
        trusted_proxies: Sequence[types.Network] = (),
        pages: pages_of.Pages | None = None,
    ) -> None:
        self._pages = pages
        self._sources = {of.name: of for of in sources}
        self._observer = observer
        self._clock = clock
        self._forwarder = forwarder
        self._bounds = bounds or limits.Limits()
        self._acceptor = accept.Acceptor(
            sink=sink,
            forwarder=forwarder,
            observer=observer,
            clock=clock,
            bounds=self._bounds,
        )
        self._trusted_proxies = tuple(trusted_proxies)
        self._retry_after: dict[str, str] = {
            hdrs.RETRY_AFTER: str(self._bounds.retry_after_s)
        }
        self._in_flight = 0
        self._server: connection.Server | None = None
        self._listener: asyncio.Server | None = None
        #: there only while draining; set once nothing is in flight
        self._landed: asyncio.Event | None = None

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return self._listener is not None

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled."""
        return self._in_flight

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for any. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = connection.Server(
            self._handle, refused=self._refused, bounds=self._bounds
        )
        self._listener = await loop.create_server(
            self._server, host, port, backlog=_BACKLOG
        )
        bound: int = self._listener.sockets[0].getsockname()[1]
        return bound

    async def drain(self, timeout_s: float) -> None:
        """
        Stop listening, let what was begun finish within *timeout_s*, and close.

        Idempotent. What is cut off after the time limit was never answered 2xx.
        """
        listener, self._listener = self._listener, None
        if listener is not None and self._server is not None:
            now = asyncio.get_running_loop().time
            deadline = now() + timeout_s
            listener.close()
            await asyncio.sleep(0)  # connections accepted just now get their handler
            await self._land(self._server, deadline)
            # aiohttp drops what a connection receives from here on.
            self._server.pre_shutdown()
            # Twice at most: first for all, then for what has its body already.
            await self._server.shutdown(max(deadline - now(), _LAST_S) / 2)
            await listener.wait_closed()
        if self._forwarder is not None:
            await self._forwarder.close()

    async def _land(self, server: connection.Server, deadline: float) -> None:
        """Let come in what is on its way, answer it, and say that this is the end."""
        now = asyncio.get_running_loop().time
        self._landed = asyncio.Event()
        server.close_idle()
        if server.has_fresh:
            await asyncio.sleep(min(_FRESH_S, (deadline - now()) / 4))
        if self._in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline - _LAST_S):
                    await self._landed.wait()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it holds."""
        self._in_flight += 1
        try:
            if self._pages is not None and self._pages.takes(request.rel_url.raw_path):
                response = await self._page(self._pages, request)
            else:
                response = await self._callback(request)
        finally:
            self._in_flight -= 1
            if self._landed is not None and not self._in_flight:
                self._landed.set()
        if self._landed is not None:
            response.force_close()
        return response

    async def _page(
        self, pages: pages_of.Pages, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Let *pages* answer, within the same bound as the callbacks."""
        result = answers.Result.OVERLOADED
        if self._in_flight <= self._bounds.max_in_flight:
            try:
                return await pages.answer(request)
            except Exception as failure:  # noqa: BLE001 -- reported, and answered 503
                result = answers.Result.FAILED
                fault = observe.fault_of(failure)
                self._observer.finished(
                    observe.Report(result=result, status=503, fault=fault)
                )
        return answers.problem(result, headers=self._retry_after)

    async def _callback(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a callback, and report it."""
        now = asyncio.get_running_loop().time
        started = now()
        known = _Known()
        outcome = await self._outcome(request, known)
        response = answers.respond(
            outcome.result,
            route=known.route,
            event_id=outcome.event_id,
            headers=self._headers(outcome.result, known.of),
        )
        self._report(known, outcome, response.status, now() - started)
        return response

    async def _outcome(self, request: web.BaseRequest, known: _Known) -> accept.Outcome:
        """Return how the request ends; no input and no fault of ours raises here."""
        try:
            return await self._take(request, known)
        except answers.Refusal as refusal:
            return accept.Outcome(result=refusal.result)
        except errors.AuthenticationError as error:
            result = answers.Result.NOT_AUTHENTIC
            return accept.Outcome(result=result, cause=error.cause)
        except errors.MalformedBody:
            return accept.Outcome(result=answers.Result.MALFORMED_BODY)
        except Exception as failure:  # noqa: BLE001 -- reported, and answered 503
            fault = observe.fault_of(failure)
            return accept.Outcome(result=answers.Result.FAILED, fault=fault)

    async def _take(self, request: web.BaseRequest, known: _Known) -> accept.Outcome:
        """Go the way of a callback: route, bounds, authentication, publication."""
        of = self._route(request, known)
        if request.method not in of.methods:
            raise answers.Refusal(answers.Result.METHOD_NOT_ALLOWED)
        if self._in_flight > self._bounds.max_in_flight:
            raise answers.Refusal(answers.Result.OVERLOADED)
        received_at = self._clock.now_ms()
        body.check_head(request, of.max_body_bytes)
        raw = await body.read(
            request,
            limit_bytes=of.max_body_bytes,
            timeout_s=self._bounds.read_timeout_s,
        )
        known.size_bytes = len(raw)
        unverified = requests.callback(request, of, known.token, raw, received_at)
        verified = authenticate.verify(of, unverified, self._trusted_proxies)
        known.matches = verified.matches
        return await self._acceptor.accept(of, verified.callback)

    def _route(self, request: web.BaseRequest, known: _Known) -> source.IngressSource:
        """Return the source that the path names; nothing is guessed from headers."""
        # As sent: no name and no token of ours needs a percent sign.
        parts = request.rel_url.raw_path.split("/")
        of = None
        if len(parts) in _PARTS and parts[:2] == _PREFIX:
            of = known.of = self._sources.get(parts[2])
        if len(parts) == _PARTS[1] and of is not None:
            known.token, known.route = parts[3], answers.ROUTE_WITH_TOKEN
            if "signed_url" not in of.authenticators:
                raise answers.Refusal(answers.Result.NOT_FOUND)
        elif of is not None:
            known.route = answers.ROUTE
        if of is None:
            raise answers.Refusal(answers.Result.NOT_FOUND)
        return of

    def _headers(
        self, result: answers.Result, of: source.IngressSource | None
    ) -> dict[str, str] | None:
        """Return the headers that belong to *result* and to none other."""
        if result is answers.Result.METHOD_NOT_ALLOWED and of is not None:
            return {hdrs.ALLOW: ", ".join(of.methods)}
        if result is answers.Result.NOT_AUTHENTIC and of is not None:
            return {hdrs.WWW_AUTHENTICATE: of.challenge}
        if result is answers.Result.ENCODED:
            return {hdrs.ACCEPT_ENCODING: "identity"}
        return self._retry_after if answers.is_our_fault(result) else None

    def _report(
        self, known: _Known, outcome: accept.Outcome, status: int, duration_s: float
    ) -> None:
        """Tell the observer; what it does wrong is not the caller's affair."""
        report = observe.Report(
            result=outcome.result,
            status=status,
            source=known.of.name if known.of else labels.UNKNOWN_SOURCE,
            provider=known.of.provider if known.of else None,
            cause=outcome.cause,
            matches=known.matches,
            event_id=outcome.event_id,
            session=outcome.session,
            size_bytes=known.size_bytes,
            duration_s=duration_s,
            publish_s=outcome.publish_s,
            dead_letter=outcome.dead_letter,
            fault=outcome.fault,
        )
        self._observer.finished(report)

    def _refused(self, result: answers.Result, status: int) -> None:
        """Report what aiohttp refused before it came to a handler."""
        self._observer.finished(observe.Report(result=result, status=status))
