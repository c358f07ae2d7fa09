"""Serve the webhook endpoints: one request in, one answer and one report out."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from aiohttp import hdrs, web

from worker import cancellation, errors, http_server, ports
from worker import clock as clocks
from worker.ingress import (
    authenticate,
    forward,
    handler,
    limits,
    responses,
    source,
    telemetry,
)
from worker.settings import types
from worker.telemetry import exceptions


class ExtraRoutes(Protocol):
    """Answers the requests that are no callbacks."""

    def takes(self, path: str) -> bool:
        """Return whether *path*, as sent, is one of these."""
        ...

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer *request*; what it raises is answered 503."""
        ...


#: "webhooks", source and, for a signed URL, its token
_PARTS = (2, 3)
_PREFIX = ["webhooks"]


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
        observer: telemetry.IngressTelemetry,
        clock: clocks.Clock,
        forwarder: forward.Forwarder | None = None,
        bounds: limits.Limits | None = None,
        trusted_proxies: Sequence[types.Network] = (),
        pages: ExtraRoutes | None = None,
    ) -> None:
        self._pages = pages
        self._sources = {of.name: of for of in sources}
        self._observer = observer
        self._clock = clock
        self._forwarder = forwarder
        self._bounds = bounds or limits.Limits()
        self._limiter = limits.CallbackLimiter(
            {name: of.callback_rate for name, of in self._sources.items()}
        )
        self._acceptor = handler.CallbackHandler(
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
        #: its sockets, connections and requests
        self.listener = http_server.Listener(
            self._handle,
            malformed=self._malformed,
            bounds=self._bounds.connections,
            on_closed=observer.closed,
        )
        self._in_flight = 0

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return self.listener.ready

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled; their bodies are whole."""
        return self._in_flight

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for any. Raises OSError."""
        return await self.listener.start(host, port)

    async def drain(self, timeout_s: float) -> None:
        """
        Stop listening, let what was begun finish within *timeout_s*, and close.

        Idempotent. What is cut off after the time limit was never answered 2xx.
        """
        await self.listener.drain(timeout_s)
        if self._forwarder is not None:
            await self._forwarder.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it holds."""
        if self._pages is not None and self._pages.takes(request.rel_url.raw_path):
            return await self._page(self._pages, request)
        return await self._callback(request)

    async def _page(
        self, pages: ExtraRoutes, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Let *pages* answer, within the same bound as the callbacks."""
        result = responses.Result.OVERLOADED
        if not self._full:
            try:
                with self._handling():
                    return await pages.answer(request)
            except Exception as failure:  # noqa: BLE001 -- reported, and answered 503
                result = responses.Result.FAILED
                fault = exceptions.exception_location(failure)
                self._observer.request_finished(
                    telemetry.Report(result=result, status=503, fault=fault)
                )
        return responses.problem(result, headers=self._retry_after)

    async def _callback(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a callback, and report it."""
        now = asyncio.get_running_loop().time
        started = now()
        report = telemetry.Report()
        report.result = await self._result(request, report)
        response = responses.respond(
            report.result,
            route=report.route,
            event_id=report.event_id,
            challenge=report.challenge,
            headers=self._headers(report),
        )
        report.status = response.status
        report.duration_s = now() - started
        self._observer.request_finished(report)
        return response

    async def _result(
        self, request: web.BaseRequest, report: telemetry.Report
    ) -> responses.Result:
        """Return how the request ends; no input and no fault of ours raises here."""
        try:
            with cancellation.contained():
                return await self._take(request, report)
        except Exception as failure:  # noqa: BLE001 -- reported, and answered
            return _ended_by(failure, report)

    async def _take(
        self, request: web.BaseRequest, report: telemetry.Report
    ) -> responses.Result:
        """Go the way of a callback: route, bounds, authentication, publication."""
        of, token = self._route(request, report)
        taken = request.method in of.methods
        if not (taken or authenticate.is_ping(request)):
            raise responses.Refusal(responses.Result.METHOD_NOT_ALLOWED)
        said = authenticate.head(request, of, token, self._clock.now_ms())
        matches = authenticate.verify_head(of, said, self._trusted_proxies)
        if not taken:
            report.matches = matches
            return responses.Result.PINGED
        http_server.check_head(request, of.max_body_bytes)
        authenticate.require_signature(of, said)
        if self._full:
            raise responses.Refusal(responses.Result.OVERLOADED)
        if matches:
            self._count(of)
        # Whoever has shown a secret goes before who has not.
        with self.listener.bodies.open(known=bool(matches)) as body:
            raw = await http_server.read(
                request,
                limit_bytes=of.max_body_bytes,
                timeout_s=self._bounds.read_timeout_s,
                into=body,
            )
            report.size_bytes = len(raw)
            whole = authenticate.whole(said, raw)
            try:
                keys = await authenticate.fetch_keys(of, whole)
            except errors.FetchError:
                raise responses.Refusal(responses.Result.UNAVAILABLE) from None
            verified = authenticate.verify_body(of, whole, matches, keys)
            report.matches = verified.matches
            if not matches:
                self._count(of)
            if verified.matches:
                http_server.trust(request)
            if self._full:
                raise responses.Refusal(responses.Result.OVERLOADED)
            with self._handling():
                return await self._acceptor.accept(of, verified.callback, report)

    def _count(self, of: source.IngressSource) -> None:
        """Count an authentic callback; raises Refusal past the source's rate."""
        if not self._limiter.try_acquire(of.name, self._clock.now_ms()):
            raise responses.Refusal(responses.Result.RATE_LIMITED)

    @property
    def _full(self) -> bool:
        """Return whether as many requests as may be are handled already."""
        return self._in_flight >= self._bounds.max_in_flight

    @contextlib.contextmanager
    def _handling(self) -> Iterator[None]:
        """Count a request while the block runs."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def _route(
        self, request: web.BaseRequest, report: telemetry.Report
    ) -> tuple[source.IngressSource, str | None]:
        """
        Return the source that the path names, and the token of a signed URL.

        Nothing is guessed from headers.
        """
        # As sent: no name and no token of ours needs a percent sign.
        parts = http_server.segments(request.rel_url.raw_path)
        of = None
        if len(parts) in _PARTS and parts[:1] == _PREFIX:
            of = self._sources.get(parts[1])
        if of is None:
            raise responses.Refusal(responses.Result.NOT_FOUND)
        report.source, report.provider = of.name, of.provider
        if len(parts) == _PARTS[0]:
            report.route = responses.ROUTE
            return of, None
        report.route = responses.ROUTE_WITH_TOKEN
        if "signed_url" not in of.authenticators:
            raise responses.Refusal(responses.Result.NOT_FOUND)
        return of, parts[2]

    def _headers(self, report: telemetry.Report) -> dict[str, str] | None:
        """Return the headers that belong to this result and to none other."""
        match report.result:
            case responses.Result.ACCEPTED:
                return None
            case responses.Result.METHOD_NOT_ALLOWED:
                return {hdrs.ALLOW: ", ".join(self._sources[report.source].methods)}
            case responses.Result.NOT_AUTHENTIC:
                return {hdrs.WWW_AUTHENTICATE: self._sources[report.source].challenge}
            case responses.Result.ENCODED:
                return {hdrs.ACCEPT_ENCODING: "identity"}
            case result:
                return self._retry_after if responses.is_our_fault(result) else None

    def _malformed(self, status: int) -> web.Response:
        """Answer 400 for what aiohttp could not parse, and never a 500; report it."""
        client = status // 100 == 4  # noqa: PLR2004 -- 4xx
        result = (
            responses.Result.MALFORMED_REQUEST if client else responses.Result.FAILED
        )
        response = responses.problem(result)
        self._observer.request_finished(
            telemetry.Report(result=result, status=response.status)
        )
        return response


def _ended_by(failure: Exception, report: telemetry.Report) -> responses.Result:
    """Return how the request ends, and *report* what else is known."""
    common = http_server.common_result(failure)
    if common is not None:
        return responses.Result(common)
    match failure:
        case responses.Refusal():
            return failure.result
        case errors.AuthenticationError():
            report.cause = failure.cause
            return responses.Result.NOT_AUTHENTIC
        case _:
            report.fault = exceptions.exception_location(failure)
            return responses.Result.FAILED
