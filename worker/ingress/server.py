"""Serve the webhook endpoints: one request in, one answer and one report out."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence

from aiohttp import hdrs, web

from worker import clock as clocks
from worker import errors, ports, serving
from worker.ingress import (
    accept,
    answers,
    authenticate,
    forward,
    limits,
    observe,
    requests,
    source,
)
from worker.ingress import pages as pages_of
from worker.settings import types
from worker.telemetry import failures

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
        self._listener = serving.Listener(
            self._handle,
            malformed=self._malformed,
            bounds=self._bounds.connections,
            on_closed=observer.closed,
        )
        self._in_flight = 0

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return self._listener.ready

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled; their bodies are whole."""
        return self._in_flight

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return self._listener.connections

    @property
    def max_connections(self) -> int:
        """Return how many connections may be open, as this process can have them."""
        return self._listener.max_connections

    @property
    def buffered_bytes(self) -> int:
        """Return how many bytes of bodies are held."""
        return self._listener.bodies.held_bytes

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for any. Raises OSError."""
        return await self._listener.start(host, port)

    async def drain(self, timeout_s: float) -> None:
        """
        Stop listening, let what was begun finish within *timeout_s*, and close.

        Idempotent. What is cut off after the time limit was never answered 2xx.
        """
        await self._listener.drain(timeout_s)
        if self._forwarder is not None:
            await self._forwarder.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it holds."""
        if self._pages is not None and self._pages.takes(request.rel_url.raw_path):
            return await self._page(self._pages, request)
        return await self._callback(request)

    async def _page(
        self, pages: pages_of.Pages, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Let *pages* answer, within the same bound as the callbacks."""
        result = answers.Result.OVERLOADED
        if not self._full:
            try:
                with self._handling():
                    return await pages.answer(request)
            except Exception as failure:  # noqa: BLE001 -- reported, and answered 503
                result = answers.Result.FAILED
                fault = failures.fault_of(failure)
                self._observer.finished(
                    observe.Report(result=result, status=503, fault=fault)
                )
        return answers.problem(result, headers=self._retry_after)

    async def _callback(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a callback, and report it."""
        now = asyncio.get_running_loop().time
        started = now()
        report = observe.Report()
        report.result = await self._result(request, report)
        response = answers.respond(
            report.result,
            route=report.route,
            event_id=report.event_id,
            headers=self._headers(report),
        )
        report.status = response.status
        report.duration_s = now() - started
        self._observer.finished(report)
        return response

    async def _result(
        self, request: web.BaseRequest, report: observe.Report
    ) -> answers.Result:
        """Return how the request ends; no input and no fault of ours raises here."""
        try:
            return await self._take(request, report)
        except Exception as failure:  # noqa: BLE001 -- reported, and answered
            return _ended_by(failure, report)

    async def _take(
        self, request: web.BaseRequest, report: observe.Report
    ) -> answers.Result:
        """Go the way of a callback: route, bounds, authentication, publication."""
        of, token = self._route(request, report)
        taken = request.method in of.methods
        if not (taken or requests.is_ping(request)):
            raise answers.Refusal(answers.Result.METHOD_NOT_ALLOWED)
        said = requests.head(request, of, token, self._clock.now_ms())
        matches = authenticate.verify_head(of, said, self._trusted_proxies)
        if not taken:
            report.matches = matches
            return answers.Result.PINGED
        serving.check_head(request, of.max_body_bytes)
        authenticate.require_signature(of, said)
        if self._full:
            raise answers.Refusal(answers.Result.OVERLOADED)
        # Whoever has shown a secret goes before who has not.
        with self._listener.bodies.open(known=bool(matches)) as body:
            raw = await serving.read(
                request,
                limit_bytes=of.max_body_bytes,
                timeout_s=self._bounds.read_timeout_s,
                into=body,
            )
            report.size_bytes = len(raw)
            whole = requests.whole(said, raw)
            verified = authenticate.verify_body(of, whole, matches)
            report.matches = verified.matches
            if verified.matches:
                serving.trust(request)
            if self._full:
                raise answers.Refusal(answers.Result.OVERLOADED)
            with self._handling():
                return await self._acceptor.accept(of, verified.callback, report)

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
        self, request: web.BaseRequest, report: observe.Report
    ) -> tuple[source.IngressSource, str | None]:
        """
        Return the source that the path names, and the token of a signed URL.

        Nothing is guessed from headers.
        """
        # As sent: no name and no token of ours needs a percent sign.
        parts = serving.segments(request.rel_url.raw_path)
        of = None
        if len(parts) in _PARTS and parts[:1] == _PREFIX:
            of = self._sources.get(parts[1])
        if of is None:
            raise answers.Refusal(answers.Result.NOT_FOUND)
        report.source, report.provider = of.name, of.provider
        if len(parts) == _PARTS[0]:
            report.route = answers.ROUTE
            return of, None
        report.route = answers.ROUTE_WITH_TOKEN
        if "signed_url" not in of.authenticators:
            raise answers.Refusal(answers.Result.NOT_FOUND)
        return of, parts[2]

    def _headers(self, report: observe.Report) -> dict[str, str] | None:
        """Return the headers that belong to this result and to none other."""
        match report.result:
            case answers.Result.ACCEPTED:
                return None
            case answers.Result.METHOD_NOT_ALLOWED:
                return {hdrs.ALLOW: ", ".join(self._sources[report.source].methods)}
            case answers.Result.NOT_AUTHENTIC:
                return {hdrs.WWW_AUTHENTICATE: self._sources[report.source].challenge}
            case answers.Result.ENCODED:
                return {hdrs.ACCEPT_ENCODING: "identity"}
            case result:
                return self._retry_after if answers.is_our_fault(result) else None

    def _malformed(self, status: int) -> web.Response:
        """Answer 400 for what aiohttp could not parse, and never a 500; report it."""
        client = status // 100 == 4  # noqa: PLR2004 -- 4xx
        result = answers.Result.MALFORMED_REQUEST if client else answers.Result.FAILED
        response = answers.problem(result)
        self._observer.finished(observe.Report(result=result, status=response.status))
        return response


def _ended_by(failure: Exception, report: observe.Report) -> answers.Result:
    """Return how the request ends, and *report* what else is known."""
    match failure:
        case answers.Refusal():
            return failure.result
        case serving.Unreadable():
            return answers.Result(failure.fault.value)
        case serving.Crowded():
            return answers.Result.OVERLOADED
        case errors.MalformedBody():
            return answers.Result.MALFORMED_BODY
        case errors.AuthenticationError():
            report.cause = failure.cause
            return answers.Result.NOT_AUTHENTIC
        case _:
            report.fault = failures.fault_of(failure)
            return answers.Result.FAILED
