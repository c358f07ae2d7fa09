"""Serve the webhook endpoints: one request in, one answer and one report out."""

import asyncio
from collections.abc import Iterable, Sequence

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
from worker.telemetry import failures, labels

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
        self._listener = serving.Listener(
            self._handle,
            malformed=self._malformed,
            bounds=serving.Bounds(
                keepalive_timeout_s=self._bounds.keepalive_timeout_s,
                linger_timeout_s=self._bounds.linger_timeout_s,
            ),
        )

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return self._listener.ready

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled."""
        return self._listener.in_flight

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
        if self.in_flight <= self._bounds.max_in_flight:
            try:
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
        except serving.Unreadable as unreadable:
            result = answers.Result(unreadable.fault.value)
            return accept.Outcome(result=result)
        except errors.AuthenticationError as error:
            result = answers.Result.NOT_AUTHENTIC
            return accept.Outcome(result=result, cause=error.cause)
        except errors.MalformedBody:
            return accept.Outcome(result=answers.Result.MALFORMED_BODY)
        except Exception as failure:  # noqa: BLE001 -- reported, and answered 503
            fault = failures.fault_of(failure)
            return accept.Outcome(result=answers.Result.FAILED, fault=fault)

    async def _take(self, request: web.BaseRequest, known: _Known) -> accept.Outcome:
        """Go the way of a callback: route, bounds, authentication, publication."""
        of = self._route(request, known)
        if request.method not in of.methods:
            raise answers.Refusal(answers.Result.METHOD_NOT_ALLOWED)
        if self.in_flight > self._bounds.max_in_flight:
            raise answers.Refusal(answers.Result.OVERLOADED)
        received_at = self._clock.now_ms()
        raw = await serving.read(
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

    def _malformed(self, status: int) -> web.Response:
        """Answer 400 for what aiohttp could not parse, and never a 500; report it."""
        client = status // 100 == 4  # noqa: PLR2004 -- 4xx
        result = answers.Result.MALFORMED_REQUEST if client else answers.Result.FAILED
        response = answers.problem(result)
        self._observer.finished(observe.Report(result=result, status=response.status))
        return response
