"""IDnow: login, the single result and errors, as they go over the wire."""

import asyncio
import collections
from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import web

from worker import clock as clocks
from worker import errors, model
from worker.providers import idnow

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_KEY = model.SessionKey("idnow", "ah73jk3lm")
_ROOT = "/api/v1/ihrebank"


def _adapter(base_url: str, clock: clocks.Clock, **settings: object) -> idnow.Adapter:
    given = {
        "environment": "test",
        "company_id": "ihrebank",
        "api_key": "synthetic-api-key",
        "base_url": base_url,
        "max_answer_bytes": 1_000,
    }
    return idnow.Adapter(
        "idnow", idnow.Settings.model_validate(given | settings), clock
    )


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(document), status=status, content_type="application/json"
    )


def _error(status: int, cause: object) -> web.Response:
    return _json({"errors": [{"cause": cause, "id": "487800773"}]}, status)


class _Gateway:
    """The gateway of one company: tokens that can die, and one answer for results."""

    def __init__(self, answer: Callable[[], web.Response] | None = None) -> None:
        self.calls: collections.Counter[str] = collections.Counter()
        self.tokens: set[str] = set()
        self.dead: Callable[[], web.Response] = lambda: _error(
            401, "INVALID_LOGIN_TOKEN"
        )
        self.answer = answer or (lambda: _json({"ok": True}))
        self.login: Callable[[], web.Response] | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a login or a result; everything else is a 404 with an empty list."""
        self.calls[f"{request.method} {request.raw_path}"] += 1
        if request.path == f"{_ROOT}/login":
            given = orjson.loads(await request.read())
            assert given == {"apiKey": "synthetic-api-key"}
            if self.login is not None:
                return self.login()
            self.tokens.add(token := f"token-{len(self.tokens)}")
            return _json({"authToken": token})
        if request.headers.get("X-API-LOGIN-TOKEN") not in self.tokens:
            return self.dead()
        if request.query:
            return _json({"identifications": []})
        return self.answer()

    @property
    def logins(self) -> int:
        """Return how often somebody logged in."""
        return self.calls[f"POST {_ROOT}/login"]


async def _failed(gateway: _Gateway, serve: Serve, clock: clocks.Clock) -> Exception:
    adapter = _adapter(await serve(gateway.handle), clock)
    with pytest.raises(errors.FetchError) as caught:
        await adapter.fetch(_KEY, "AH73JK3LM")
    await adapter.close()
    return caught.value


async def test_the_result_is_asked_for_as_documented(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One login for all calls, then the single result by the provider's spelling."""
    gateway = _Gateway()
    adapter = _adapter(await serve(gateway.handle), clock)
    answers = [await adapter.fetch(_KEY, "AH73JK3LM") for _ in range(3)]
    await adapter.close()

    assert [answer.document for answer in answers] == [{"ok": True}] * 3
    assert {(answer.origin, answer.observed_at) for answer in answers} == {
        ("result", clock.now_ms())
    }
    assert gateway.calls == {
        f"POST {_ROOT}/login": 1,
        f"GET {_ROOT}/identifications/AH73JK3LM": 3,
    }


async def test_many_fetches_share_one_login(serve: Serve, clock: clocks.Clock) -> None:
    """Whoever needs a token while a login is under way waits for that one."""
    gateway = _Gateway()
    adapter = _adapter(await serve(gateway.handle), clock)
    await asyncio.gather(*(adapter.fetch(_KEY, "AH73JK3LM") for _ in range(10)))
    gateway.tokens = {"none"}
    await asyncio.gather(*(adapter.fetch(_KEY, "AH73JK3LM") for _ in range(10)))
    await adapter.close()

    assert gateway.logins == 2


@pytest.mark.parametrize(
    "dead",
    [
        lambda: _error(401, "INVALID_LOGIN_TOKEN"),
        lambda: _error(401, "TOKEN_EXPIRED"),
        lambda: _error(400, "TOKEN_EXPIRED"),
        lambda: _error(200, "INVALID_LOGIN_TOKEN"),
        lambda: web.Response(status=401),
        lambda: web.Response(status=401, text="<html>who are you</html>"),
        lambda: _error(401, "SOMETHING_NEW"),
    ],
)
async def test_a_dead_token_is_renewed_once(
    serve: Serve, clock: clocks.Clock, dead: Callable[[], web.Response]
) -> None:
    """By the cause before the status, the login is repeated and so is the call."""
    gateway = _Gateway()
    gateway.dead = dead
    adapter = _adapter(await serve(gateway.handle), clock)
    await adapter.fetch(_KEY, "AH73JK3LM")
    gateway.tokens = {"none"}
    answer = await adapter.fetch(_KEY, "AH73JK3LM")
    await adapter.close()

    assert answer.document == {"ok": True}
    assert gateway.logins == 2
    assert gateway.calls[f"GET {_ROOT}/identifications/AH73JK3LM"] == 3


async def test_a_token_that_never_works_is_our_account(
    serve: Serve, clock: clocks.Clock
) -> None:
    """After one new login it is the account: no third try."""
    gateway = _Gateway(lambda: _error(401, "INVALID_LOGIN_TOKEN"))

    error = await _failed(gateway, serve, clock)

    assert isinstance(error, errors.ProviderAuthFailed)
    assert error.detail == "INVALID_LOGIN_TOKEN"
    assert gateway.logins == 2


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        (400, "UNRECOGNIZED_FIELD", errors.InvalidResponse),
        (400, "UNPARSEABLE_JSON", errors.InvalidResponse),
        (400, "MISSING_TRANSACTION_TOKEN", errors.InvalidResponse),
        (400, "BAD_REQUEST", errors.InvalidResponse),
        (401, "INVALID_LOGIN_TOKEN", errors.ProviderAuthFailed),
        (401, "SECURITY_VIOLATION", errors.ResultMismatch),
        (404, "OBJECT_NOT_FOUND", errors.SessionNotFound),
        (401, "OBJECT_NOT_FOUND", errors.SessionNotFound),
        (200, "OBJECT_NOT_FOUND", errors.SessionNotFound),
        (409, "EXISTING_IDENTIFICATION", errors.InvalidResponse),
        (412, "PRECONDITION_FAILED", errors.InvalidResponse),
        (500, "INTERNAL_SERVER_ERROR", errors.ProviderFault),
        (404, "INTERNAL_SERVER_ERROR", errors.ProviderFault),
        (200, "SOMETHING_NEW", errors.InvalidResponse),
        (500, "SOMETHING_NEW", errors.ProviderFault),
        (429, "SOMETHING_NEW", errors.RateLimited),
        (403, "SOMETHING_NEW", errors.ProviderAuthFailed),
        (404, "SOMETHING_NEW", errors.SessionNotFound),
        (404, None, errors.SessionNotFound),
        (503, ["OBJECT_NOT_FOUND"], errors.ProviderFault),
    ],
)
async def test_the_cause_decides_before_the_status(
    serve: Serve,
    clock: clocks.Clock,
    status: int,
    cause: object,
    expected: type[errors.FetchError],
) -> None:
    """The rows of the error table; an unknown cause leaves it to the status."""
    error = await _failed(_Gateway(lambda: _error(status, cause)), serve, clock)

    assert type(error) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda: web.Response(text="<html>maintenance</html>"), errors.InvalidResponse),
        (
            lambda: web.Response(body=b'{"identificationprocess": {'),
            errors.InvalidResponse,
        ),
        (lambda: _json([]), errors.InvalidResponse),
        (lambda: _json({"x": "x" * 1_000}), errors.InvalidResponse),
        (
            lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
            errors.InvalidResponse,
        ),
        (lambda: web.Response(status=503), errors.ProviderFault),
    ],
)
async def test_hostile_answers_are_errors(
    serve: Serve,
    clock: clocks.Clock,
    answer: Callable[[], web.Response],
    expected: type[errors.FetchError],
) -> None:
    """HTML, truncated, another value, too much, elsewhere: never a result."""
    assert type(await _failed(_Gateway(answer), serve, clock)) is expected


@pytest.mark.parametrize("listed", [None, [], {}, "x", [None], [[]], [{}]])
async def test_an_odd_error_list_names_no_cause(
    serve: Serve, clock: clocks.Clock, listed: object
) -> None:
    """A body without a cause is judged by its status."""
    gateway = _Gateway(lambda: _json({"errors": listed}, 500))

    assert type(await _failed(gateway, serve, clock)) is errors.ProviderFault


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (lambda: _error(401, "SECURITY_VIOLATION"), errors.ProviderAuthFailed),
        (lambda: _error(401, "INVALID_LOGIN_TOKEN"), errors.ProviderAuthFailed),
        (lambda: _error(404, "OBJECT_NOT_FOUND"), errors.ProviderAuthFailed),
        (lambda: web.Response(status=404), errors.ProviderAuthFailed),
        (lambda: web.Response(status=403), errors.ProviderAuthFailed),
        (lambda: web.Response(status=503), errors.ProviderFault),
        (lambda: web.Response(status=429), errors.RateLimited),
        (lambda: _json({}), errors.InvalidResponse),
        (lambda: _json({"authToken": None}), errors.InvalidResponse),
        (lambda: _json({"authToken": ""}), errors.InvalidResponse),
        (lambda: _json({"authToken": "a\r\nX-Evil: 1"}), errors.InvalidResponse),
        (lambda: _json({"authToken": "\u00e4"}), errors.InvalidResponse),
        (lambda: _json({"authToken": ["token"]}), errors.InvalidResponse),
    ],
)
async def test_a_failed_login_says_nothing_of_the_session(
    serve: Serve,
    clock: clocks.Clock,
    login: Callable[[], web.Response],
    expected: type[errors.FetchError],
) -> None:
    """No session is denied because our company is."""
    gateway = _Gateway()
    gateway.login = login

    assert type(await _failed(gateway, serve, clock)) is expected
