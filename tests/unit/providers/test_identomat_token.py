"""Identomat: which answers to a begin hold a token, and whose."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat
from worker.providers.identomat import start

Serve = Callable[[Any], Awaitable[str]]
_TOKEN = "47fjzxvvzapi4ztasth3c2ozfucli3l0qx13hisc"
_QUOTED = f'"{_TOKEN}"'.encode()
_SECRET = "synthetic-secret-key"


def _settings(base_url: str = "http://127.0.0.1:1", **more: object) -> Any:  # noqa: ANN401 -- settings
    given = {"environment": "test", "company_key": "synthetic-company-key"}
    return identomat.Settings.model_validate(given | {"base_url": base_url} | more)


async def _begun(
    provider: starts.Provider,
    serve: Serve,
    clock: clocks.Clock,
    request: model.BeginRequest | None = None,
    **settings: object,
) -> model.StartedSession:
    base_url = await serve(provider.answer)
    beginner = start.SessionStarter("s", _settings(base_url, **settings), clock)
    try:
        return await beginner.begin(request or starts.request())
    finally:
        await beginner.close()


async def test_a_token_with_strange_letters_cannot_leave_its_place(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Where the source allows other letters they are quoted in the address."""
    provider = starts.Provider(body=b'"a+b/c=d"')
    begun = await _begun(
        provider, serve, clock, starts.embedded(), session_id_pattern=".+"
    )

    assert begun.session_id == "a+b/c=d"
    assert begun.embed is not None
    assert '/?session_token=a%2Bb%2Fc%3Dd"' in begun.embed


@pytest.mark.parametrize(
    "body",
    [_QUOTED, _TOKEN.encode(), b"  " + _QUOTED + b"\n", _TOKEN.encode() + b"\r\n"],
)
async def test_the_token_comes_quoted_or_bare(
    serve: Serve, clock: clocks.Clock, body: bytes
) -> None:
    """A JSON text and raw text are the same token."""
    begun = await _begun(starts.Provider(body=body, status=201), serve, clock)

    assert begun.session_id == _TOKEN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'""',
        b"null",
        b"{}",
        b'{ "' + _TOKEN.encode() + b'" }',
        b'{"session_token": ' + _QUOTED + b"}",
        b"[" + _QUOTED + b"]",
        b'"' + _TOKEN.upper().encode() + b'"',
        b'"' + _TOKEN[:-1].encode() + b'"',
        b'"' + _TOKEN.encode() + b'x"',
        b'"' + _TOKEN.encode() + b'\\n"',
        b'"' + _TOKEN[:-1].encode() + b'\\u0660"',
        _QUOTED + _QUOTED,
        b"<html>" + _TOKEN.encode() + b"</html>",
        b"\xff" + _TOKEN.encode(),
        b'{"error": "' + starts.MARKER.encode() + b'"}',
    ],
    ids=range(16),
)
async def test_an_answer_without_the_token_leaves_the_begin_in_doubt(
    serve: Serve, clock: clocks.Clock, body: bytes
) -> None:
    """Anything but one token is a bad answer, and none of it is told."""
    with pytest.raises(errors.InvalidResponse) as caught:
        await _begun(starts.Provider(body=body), serve, clock)

    assert isinstance(caught.value, errors.BeginInDoubt)
    assert (caught.value.detail, caught.value.answered) == ("no_token", False)
    assert caught.value.__context__ is None
    assert starts.MARKER not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{ "' + _TOKEN.encode() + b'" }',
        b"<html>busy</html>",
        b'"two words"',
        b'"' + b"a" * 256 + b'"',
    ],
)
async def test_no_pattern_makes_a_document_a_token(
    serve: Serve, clock: clocks.Clock, body: bytes
) -> None:
    """Whatever a source takes for a token, a page or an object is none."""
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(
            starts.Provider(body=body),
            serve,
            clock,
            session_id_pattern="(?s:.*)",
        )

    assert caught.value.detail == "no_token"


def _signed(body: bytes, key: str = _SECRET) -> str:
    return identomat.SIGNATURE.sign(key.encode(), body)


async def test_with_a_secret_key_both_bodies_are_signed(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Our signature is over the bytes sent, theirs over the bytes received."""
    provider = starts.Provider(
        body=_QUOTED, headers={"Authorization": _signed(_QUOTED)}
    )
    begun = await _begun(provider, serve, clock, secret_key=_SECRET)

    ((call,), (body,)) = provider.calls, provider.bodies
    assert call.headers["Authorization"] == _signed(body)
    assert call.headers["Accept-Encoding"] == "identity"
    assert begun.session_id == _TOKEN


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": _signed(_QUOTED, "other")}, {"Authorization": "signature="}],
    ids=range(3),
)
async def test_a_token_that_is_not_rightly_signed_is_not_believed(
    serve: Serve, clock: clocks.Clock, headers: dict[str, str]
) -> None:
    """Missing or forged: there may be a session, and nobody is sent to it."""
    provider = starts.Provider(body=_QUOTED, headers=headers)
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(provider, serve, clock, secret_key=_SECRET)

    assert caught.value.detail == "bad_result_signature"
    assert not caught.value.answered
    assert caught.value.__context__ is None
