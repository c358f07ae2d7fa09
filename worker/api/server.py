"""Serve the api: one request in, one answer and one report out."""

import asyncio
import dataclasses
import urllib.parse
from collections.abc import Mapping

from aiohttp import hdrs, web

from worker import cancellation, errors, http_server
from worker import clock as clocks
from worker.api import auth, requests, responses, service, telemetry, types
from worker.telemetry import exceptions, labels, logs

_PREFIX = ["", "sessions"]
#: "", "sessions", source and, to register, the session id
_BEGIN, _REGISTER = 3, 4
_METHODS = {_BEGIN: hdrs.METH_POST, _REGISTER: hdrs.METH_PUT}
_ROUTES = {_BEGIN: responses.BEGIN, _REGISTER: responses.REGISTER}
_SEGMENT_MAX = 1024
_Result = responses.Result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound of the api; times in seconds."""

    max_in_flight: int = 100
    max_body_bytes: int = 8 << 20
    read_timeout_s: float = 10.0
    #: what a 503 asks for, in whole seconds
    retry_after_s: int = 5
    connections: http_server.ConnectionLimits = dataclasses.field(
        default_factory=http_server.ConnectionLimits
    )


class _Refusal(Exception):
    """The request is answered with *result*, and nothing was done."""

    def __init__(
        self,
        result: responses.Result,
        *,
        wrong: Mapping[str, str] | None = None,
        more: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
        fault: str | None = None,
    ) -> None:
        super().__init__(result.value)
        self.result = result
        self.wrong = wrong
        self.more = more
        self.headers = headers
        self.reason = reason
        self.fault = fault


@dataclasses.dataclass(slots=True)
class _RequestContext:
    """What becomes known of one request while it is handled."""

    route: str | None = None
    of: types.ApiSource | None = None
    #: the digest of the caller's key
    caller: str = ""
    session: str | None = None


class Api:
    """The endpoints for the company's own services."""

    def __init__(
        self,
        sources: Mapping[str, types.ApiSource],
        does: service.Service,
        *,
        known: auth.Keys,
        observer: telemetry.ApiTelemetry,
        clock: clocks.Clock,
        limits: Limits | None = None,
    ) -> None:
        self._sources = sources
        self._service = does
        self._keys = known
        self._observer = observer
        self._clock = clock
        self._limits = limits or Limits()
        #: its sockets, connections and requests
        self.listener = http_server.Listener(
            self._handle,
            malformed=self._malformed,
            bounds=self._limits.connections,
            on_closed=observer.closed,
        )
        self._in_flight = 0

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return self.listener.ready

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for any. Raises OSError."""
        return await self.listener.start(host, port)

    async def drain(self, timeout_s: float) -> None:
        """Stop listening, and let what was begun finish within *timeout_s*."""
        await self.listener.drain(timeout_s)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, whatever it holds, and report it."""
        now = asyncio.get_running_loop().time
        started = now()
        visit = _RequestContext()
        refusal = None
        try:
            with cancellation.contained():
                result, response = await self._take(request, visit)
        except Exception as failure:  # noqa: BLE001 -- distinguished there, and reported
            refusal = _refusal_of(failure)
            result = refusal.result
            response = self._refused(refusal, visit)
        self._observer.request_finished(
            telemetry.Report(
                result=result,
                status=response.status,
                method=request.method if request.method in _METHODS.values() else "",
                source=visit.of.name if visit.of else labels.UNKNOWN_SOURCE,
                reason=refusal.reason if refusal else None,
                session=visit.session,
                duration_s=now() - started,
                fault=refusal.fault if refusal else None,
            )
        )
        return response

    async def _take(
        self, request: web.BaseRequest, visit: _RequestContext
    ) -> tuple[responses.Result, web.Response]:
        """Go the way of a request: route, key, right, bounds, body, and do it."""
        parts = request.rel_url.raw_path.split("/")
        if len(parts) not in _METHODS or parts[:2] != _PREFIX:
            raise _Refusal(_Result.NOT_FOUND)
        visit.route = _ROUTES[len(parts)]
        of = visit.of = self._permitted(request, parts[2], visit)
        if request.method != _METHODS[len(parts)]:
            allowed: dict[str, str] = {hdrs.ALLOW: _METHODS[len(parts)]}
            raise _Refusal(_Result.METHOD_NOT_ALLOWED, headers=allowed)
        http_server.trust(request)
        with self.listener.bodies.open(known=True) as body:
            raw = await http_server.read(
                request,
                limit_bytes=self._limits.max_body_bytes,
                timeout_s=self._limits.read_timeout_s,
                into=body,
            )
            document = http_server.parse(raw)
            if self._in_flight >= self._limits.max_in_flight:
                raise _Refusal(_Result.OVERLOADED)
            self._in_flight += 1
            try:
                if len(parts) == _BEGIN:
                    return await self._begin(request, of, document, visit)
                return await self._register(of, parts[3], document, visit)
            finally:
                self._in_flight -= 1

    def _permitted(
        self, request: web.BaseRequest, name: str, visit: _RequestContext
    ) -> types.ApiSource:
        """Return the source *name*, to which the caller's key has a right."""
        key = self._keys.find(request.headers.getall(hdrs.AUTHORIZATION, []))
        if key is None:
            challenge: dict[str, str] = {hdrs.WWW_AUTHENTICATE: 'Bearer realm="api"'}
            raise _Refusal(_Result.NOT_AUTHENTIC, headers=challenge)
        # Before it is looked up: whether there is such a source is not their affair.
        if not key.permits(name):
            raise _Refusal(_Result.FORBIDDEN)
        of = self._sources.get(name)
        if of is None:
            raise _Refusal(_Result.NOT_FOUND)
        visit.caller = key.sha256
        return of

    async def _begin(
        self,
        request: web.BaseRequest,
        of: types.ApiSource,
        document: requests.Document,
        visit: _RequestContext,
    ) -> tuple[responses.Result, web.Response]:
        presented = request.headers.getall(requests.IDEMPOTENCY_KEY, [])
        key = requests.idempotency_key(presented)
        started = await self._service.begin(
            of, requests.parse_begin(document, of), key, caller=visit.caller
        )
        visit.session = logs.session_hash(of.name, started.begun.session_id)
        return _Result.STARTED, responses.begin_response(of.name, started)

    async def _register(
        self,
        of: types.ApiSource,
        segment: str,
        document: requests.Document,
        visit: _RequestContext,
    ) -> tuple[responses.Result, web.Response]:
        spelling = urllib.parse.unquote(segment[:_SEGMENT_MAX], errors="replace")
        wanted = requests.parse_registration(
            document, of, spelling, self._clock.now_ms()
        )
        visit.session = logs.session_hash(of.name, wanted.session_id)
        await self._service.register(of, wanted)
        return _Result.REGISTERED, responses.registration_response(
            of.name, wanted.session_id
        )

    def _refused(self, refusal: _Refusal, visit: _RequestContext) -> web.Response:
        headers = dict(refusal.headers or {})
        if responses.is_unavailable(refusal.result):
            headers.setdefault(hdrs.RETRY_AFTER, str(self._limits.retry_after_s))
        return responses.problem(
            refusal.result,
            route=visit.route,
            wrong=refusal.wrong,
            more=refusal.more,
            headers=headers,
        )

    def _malformed(self, status: int) -> web.Response:
        """Answer what aiohttp could not parse, and never with a 500."""
        client = status // 100 == 4  # noqa: PLR2004 -- 4xx
        result = _Result.MALFORMED_REQUEST if client else _Result.FAILED
        response = self._refused(_Refusal(result), _RequestContext())
        self._observer.request_finished(
            telemetry.Report(result=result, status=response.status)
        )
        return response


def _refusal_of(failure: Exception) -> _Refusal:  # noqa: PLR0911 -- one for each
    """Return how *failure* is answered; one that is not expected is our own fault."""
    common = http_server.common_result(failure)
    if common is not None:
        return _Refusal(_Result(common))
    match failure:
        case _Refusal():
            return failure
        case errors.InvalidBeginRequest():
            return _Refusal(_Result.REFUSED, wrong=failure.problems)
        case types.DuplicateBegin():
            state: str = failure.state.value
            more = {"state": state, "session_id": failure.session_id}
            return _Refusal(_Result.REPEATED, more=more, reason=state)
        case types.OutcomeUnknown():
            return _Refusal(
                _Result.IN_DOUBT,
                more={"state": types.Repeat.OUTCOME_UNKNOWN.value},
                reason=failure.reason,
                fault=failure.fault,
            )
        case errors.FetchError():
            return _of_provider(failure)
        case errors.TransportError():
            return _Refusal(_Result.UNAVAILABLE, reason=failure.reason)
        case _:
            return _Refusal(
                _Result.FAILED, fault=exceptions.exception_location(failure)
            )


def _of_provider(failure: errors.FetchError) -> _Refusal:
    """Return what to say of a provider that has begun nothing."""
    headers: dict[str, str] | None = None
    if failure.retry_after_ms is not None:
        headers = {hdrs.RETRY_AFTER: str(max(1, -(-failure.retry_after_ms // 1000)))}
    busy = isinstance(failure, errors.RateLimited)
    return _Refusal(
        _Result.PROVIDER_BUSY if busy else _Result.PROVIDER_FAILED,
        more={"reason": failure.reason},
        headers=headers,
        reason=failure.reason,
    )
