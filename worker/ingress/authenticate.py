"""
Turn a callback into a verified one: pure, and the only place that builds them.

For any headers and any body ``verify_head`` and ``verify_body`` return, or raise a
subclass of errors.CallbackError, and nothing else. The head comes first: who does not
pass it has no byte of a body read.
"""

import binascii
import contextlib
import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from aiohttp import hdrs, web

from worker import errors, http_server, model, signing
from worker.ingress import client_ip, source, telemetry
from worker.settings import types
from worker.telemetry import labels


def head(
    request: web.BaseRequest,
    of: source.IngressSource,
    token: str | None,
    received_at: int,
) -> model.Callback:
    """Return what the request says before its body, without believing any of it."""
    return model.Callback(
        source=of.name,
        method=request.method,
        headers=tuple(
            [
                (name, value)
                for name in of.headers
                for value in request.headers.getall(name, ())
            ]
        ),
        body=b"",
        token=token,
        query=_query(request, of),
        remote=request.remote,
        received_at=received_at,
    )


def whole(said: model.Callback, raw: bytes) -> model.Callback:
    """Return what the request with the head *said* and the body *raw* says."""
    return said._replace(body=raw)


def is_ping(request: web.BaseRequest) -> bool:
    """
    Return whether it asks if the address is there, and says nothing.

    With a query or a body it may be a callback of a source whose ``methods`` lack it:
    answered 2xx, that would be lost.
    """
    asks = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
    return asks and not request.query_string and not request.body_exists


def _query(request: web.BaseRequest, of: source.IngressSource) -> dict[str, str]:
    """Return the one parameter that the source reads, if it is there exactly once."""
    if of.session_id_query is None or request.method != hdrs.METH_GET:
        return {}
    values = request.query.getall(of.session_id_query, [])
    return {of.session_id_query: values[0]} if len(values) == 1 else {}


class VerifiedRequest(NamedTuple):
    """A callback that passed everything, and which secrets it passed with."""

    callback: model.VerifiedCallback
    matches: tuple[telemetry.Match, ...]


def verify_head(
    of: source.IngressSource,
    unverified: model.Callback,
    trusted_proxies: Sequence[types.Network] = (),
) -> tuple[telemetry.Match, ...]:
    """
    Let *unverified* pass what needs no body, cheapest first.

    Raises errors.AuthenticationError, nothing else.
    """
    matches: list[telemetry.Match] = []
    if "ip_allow" in of.authenticators:
        forwarded_for = _values(unverified, source.FORWARDED_FOR)
        client_ip.check_allowed(
            of.networks, trusted_proxies, unverified.remote, forwarded_for
        )
    if "signed_url" in of.authenticators:
        position = signing.match_token(of.tokens, unverified.token)
        matches.append(telemetry.Match(labels.Authenticator.SIGNED_URL, position))
    if "basic" in of.authenticators:
        matches.append(
            telemetry.Match(labels.Authenticator.BASIC, _basic(of, unverified))
        )
    return tuple(matches)


def require_signature(of: source.IngressSource, unverified: model.Callback) -> None:
    """
    Return if the head has what a body may be compared with.

    Raises errors.AuthenticationError, nothing else.
    """
    for signature in of.signatures:
        signature.scheme.require(functools.partial(_values, unverified))


async def fetch_keys(
    of: source.IngressSource, unverified: model.Callback
) -> tuple[bytes, ...]:
    """
    Return the keys that are not in the settings; none where all are.

    Raises errors.AuthenticationError where the key that is named does not exist, and
    errors.FetchError where it cannot be fetched now.
    """
    presented = functools.partial(_values, unverified)
    found: list[bytes] = []
    for signature in of.signatures:
        if signature.key_source is not None:
            found.extend(await signature.key_source(presented))
    return tuple(found)


def verify_body(
    of: source.IngressSource,
    unverified: model.Callback,
    matches: Sequence[telemetry.Match],
    fetched: tuple[bytes, ...] = (),
) -> VerifiedRequest:
    """
    Let *unverified*, whose head has passed with *matches*, pass the rest.

    *fetched* are the keys of ``fetch_keys``.

    Raises errors.AuthenticationError or errors.MalformedBody, nothing else.
    """
    found = [*matches]
    for signature in of.signatures:
        position = signature.scheme.verify(
            signature.keys if signature.key_source is None else fetched,
            functools.partial(_values, unverified),
            unverified.body,
            now_ms=unverified.received_at,
            tolerance_ms=of.tolerance_ms,
        )
        found.append(telemetry.Match(signature.authenticator, position))
    return _open(of, unverified, found)


def verify(
    of: source.IngressSource,
    unverified: model.Callback,
    trusted_proxies: Sequence[types.Network] = (),
) -> VerifiedRequest:
    """
    Let *unverified* pass everything its source lists, cheapest first.

    Raises errors.AuthenticationError or errors.MalformedBody, nothing else.
    """
    matches = verify_head(of, unverified, trusted_proxies)
    return verify_body(of, unverified, matches)


def _open(
    of: source.IngressSource,
    unverified: model.Callback,
    matches: list[telemetry.Match],
) -> VerifiedRequest:
    """Parse the body once, take its key out and check it."""
    document: dict[str, Any] | None = None
    query: Mapping[str, str] = {}
    signed = unverified.body
    if not signed and unverified.method == "GET" and of.takes_query:
        query = unverified.query
    else:
        document = http_server.parse_foreign(signed)
    if document is not None and of.body_key_field is not None:
        presented = document.pop(of.body_key_field, None)
        if "body_key" in of.authenticators:
            matches.append(
                telemetry.Match(labels.Authenticator.BODY_KEY, _body_key(of, presented))
            )
        if presented is not None:
            signed = without_key(document)
    callback = model.VerifiedCallback(
        source=of.name,
        document=document,
        query=query,
        digest=hashlib.sha256(signed).hexdigest(),
        received_at=unverified.received_at,
    )
    return VerifiedRequest(callback, tuple(matches))


def _values(unverified: model.Callback, name: str) -> list[str]:
    """Return all values of the header *name*, lower case, in the order received."""
    return [value for key, value in unverified.headers if key == name]


def _basic(of: source.IngressSource, unverified: model.Callback) -> int:
    """Check ``Authorization: Basic``, given exactly once."""
    presented = _values(unverified, source.AUTHORIZATION)
    if not presented:
        raise errors.AuthenticationError(errors.AuthCause.MISSING_BASIC)
    scheme, _, text = presented[0].partition(" ")
    credentials = b""
    if len(presented) == 1 and scheme.lower() == "basic":
        try:
            credentials = binascii.a2b_base64(text.strip(), strict_mode=True)
        except ValueError:
            credentials = b""
    return signing.match(
        of.basic_credentials, credentials, errors.AuthCause.WRONG_BASIC
    )


def _body_key(of: source.IngressSource, presented: object) -> int:
    """Check the key that stood in the body; a key of another type is a wrong one."""
    if presented is None:
        raise errors.AuthenticationError(errors.AuthCause.MISSING_BODY_KEY)
    key = presented.encode() if isinstance(presented, str) else b""
    return signing.match(of.body_keys, key, errors.AuthCause.WRONG_BODY_KEY)


def without_key(document: dict[str, Any]) -> bytes:
    """
    Return the bytes that stand for a document whose body key was taken out.

    Raises errors.MalformedBody where it is nested too deeply to be written.
    """
    with contextlib.suppress(TypeError):  # orjson.JSONEncodeError is one
        return orjson.dumps(document)
    raise errors.MalformedBody("nested too deeply")
