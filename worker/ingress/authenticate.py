"""
Turn a callback into a verified one: pure, and the only place that builds them.

For any headers and any body ``verify_head`` and ``verify_body`` return, or raise a
subclass of errors.CallbackError, and nothing else. The head comes first: who does not
pass it has no byte of a body read.
"""

import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from worker import errors, model, serving, signing
from worker.ingress import addresses, body, observe, source
from worker.settings import types
from worker.telemetry import labels


class Verified(NamedTuple):
    """A callback that passed everything, and which secrets it passed with."""

    callback: model.VerifiedCallback
    matches: tuple[observe.Match, ...]


def verify_head(
    of: source.IngressSource,
    unverified: model.Callback,
    trusted_proxies: Sequence[types.Network] = (),
) -> tuple[observe.Match, ...]:
    """
    Let *unverified* pass what needs no body, cheapest first.

    Raises errors.AuthenticationError, nothing else.
    """
    matches: list[observe.Match] = []
    if "ip_allow" in of.authenticators:
        forwarded_for = _values(unverified, source.FORWARDED_FOR)
        addresses.require(
            of.networks, trusted_proxies, unverified.remote, forwarded_for
        )
    if "signed_url" in of.authenticators:
        position = signing.match_token(of.tokens, unverified.token)
        matches.append(observe.Match(labels.Authenticator.SIGNED_URL, position))
    if "basic" in of.authenticators:
        matches.append(
            observe.Match(labels.Authenticator.BASIC, _basic(of, unverified))
        )
    return tuple(matches)


def require_signature(of: source.IngressSource, unverified: model.Callback) -> None:
    """
    Return if the head has what a body may be compared with.

    Raises errors.AuthenticationError, nothing else.
    """
    if "hmac_body" in of.authenticators and of.scheme is not None:
        signing.require(of.scheme, _values(unverified, of.scheme.header.lower()))
    if "standard_webhooks" in of.authenticators:
        signing.require_standard(
            ids=_values(unverified, source.WEBHOOK_ID),
            timestamps=_values(unverified, source.WEBHOOK_TIMESTAMP),
            signatures=_values(unverified, source.WEBHOOK_SIGNATURE),
        )


def verify_body(
    of: source.IngressSource,
    unverified: model.Callback,
    matches: Sequence[observe.Match],
) -> Verified:
    """
    Let *unverified*, whose head has passed with *matches*, pass the rest.

    Raises errors.AuthenticationError or errors.MalformedBody, nothing else.
    """
    found = [*matches]
    if "hmac_body" in of.authenticators:
        found.append(
            observe.Match(labels.Authenticator.HMAC_BODY, _hmac(of, unverified))
        )
    if "standard_webhooks" in of.authenticators:
        position = _standard(of, unverified)
        found.append(observe.Match(labels.Authenticator.STANDARD_WEBHOOKS, position))
    return _open(of, unverified, found)


def verify(
    of: source.IngressSource,
    unverified: model.Callback,
    trusted_proxies: Sequence[types.Network] = (),
) -> Verified:
    """
    Let *unverified* pass everything its source lists, cheapest first.

    Raises errors.AuthenticationError or errors.MalformedBody, nothing else.
    """
    matches = verify_head(of, unverified, trusted_proxies)
    return verify_body(of, unverified, matches)


def _open(
    of: source.IngressSource,
    unverified: model.Callback,
    matches: list[observe.Match],
) -> Verified:
    """Parse the body once, take its key out and check it."""
    document: dict[str, Any] | None = None
    query: Mapping[str, str] = {}
    signed = unverified.body
    if not signed and unverified.method == "GET" and of.takes_query:
        query = unverified.query
    else:
        document = serving.parse_foreign(signed)
    if document is not None and of.body_key_field is not None:
        presented = document.pop(of.body_key_field, None)
        if "body_key" in of.authenticators:
            matches.append(
                observe.Match(labels.Authenticator.BODY_KEY, _body_key(of, presented))
            )
        if presented is not None:
            signed = body.without_key(document)
    callback = model.VerifiedCallback(
        source=of.name,
        document=document,
        query=query,
        digest=hashlib.sha256(signed).hexdigest(),
        received_at=unverified.received_at,
    )
    return Verified(callback, tuple(matches))


def _values(unverified: model.Callback, name: str) -> list[str]:
    """Return all values of the header *name*, lower case, in the order received."""
    return [value for key, value in unverified.headers if key == name]


def _hmac(of: source.IngressSource, unverified: model.Callback) -> int:
    """Check the provider's own signature over the raw body."""
    if of.scheme is None:  # excluded when the source was built
        raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
    presented = _values(unverified, of.scheme.header.lower())
    return signing.verify(of.scheme, of.hmac_keys, presented, unverified.body)


def _standard(of: source.IngressSource, unverified: model.Callback) -> int:
    """Check a signature after the Standard Webhooks specification."""
    return signing.verify_standard(
        of.standard_keys,
        ids=_values(unverified, source.WEBHOOK_ID),
        timestamps=_values(unverified, source.WEBHOOK_TIMESTAMP),
        signatures=_values(unverified, source.WEBHOOK_SIGNATURE),
        body=unverified.body,
        now_ms=unverified.received_at,
        tolerance_s=of.tolerance_s,
    )


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
