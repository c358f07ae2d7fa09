"""Authenticators as pure functions: good, missing, wrong and rotated."""

import base64
import ipaddress
from typing import Any

import orjson
import pytest

from tests.unit.ingress import support
from worker import errors, ingress, model, signing
from worker.ingress import authenticate
from worker.telemetry import labels

_STANDARD_KEYS = (b"s" * 24, b"t" * 24)


def _callback(**changes: Any) -> model.Callback:  # noqa: ANN401 -- any field
    """Return a callback that no authenticator passes, but for *changes*."""
    plain = model.Callback(
        source="signed",
        method="POST",
        headers=(),
        body=support.BODY,
        remote="192.0.2.1",
        received_at=support.NOW_MS,
    )
    return plain._replace(**changes)


def _source(authenticator: str, **changes: Any) -> ingress.IngressSource:  # noqa: ANN401 -- any field
    return support.source(authenticators=frozenset({authenticator}), **changes)


def _cause(of: ingress.IngressSource, callback: model.Callback) -> str:
    """Return why *callback* is refused."""
    with pytest.raises(errors.AuthenticationError) as failure:
        authenticate.verify(of, callback)
    return failure.value.cause.value


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_hmac_body_rotates() -> None:
    """Either key's signature passes, at its position, over the raw bytes."""
    of = _source("hmac_body")
    name = support.SCHEME.header.lower()

    for position, key in enumerate((support.KEY, support.OLD_KEY)):
        value = support.SCHEME.sign(key, support.BODY)
        verified = authenticate.verify(of, _callback(headers=((name, value),)))
        assert (
            ingress.Match(labels.Authenticator.HMAC_BODY, position),
        ) == verified.matches
        assert verified.callback.document == support.DOCUMENT


def test_hmac_body_refuses() -> None:
    """A missing, repeated, malformed or wrong signature has its own cause."""
    of = _source("hmac_body")
    name = support.SCHEME.header.lower()
    good = (name, support.SCHEME.sign(support.KEY, support.BODY))

    assert _cause(of, _callback()) == "missing_signature"
    assert _cause(of, _callback(headers=((name, ""),))) == "missing_signature"
    assert _cause(of, _callback(headers=(good, good))) == "repeated_signature"
    assert _cause(of, _callback(headers=((name, "é"),))) == "malformed_signature"
    assert (
        _cause(of, _callback(headers=(good,), body=support.BODY + b"\n"))
        == "wrong_signature"
    )


def test_standard_webhooks() -> None:
    """Standard Webhooks headers pass with either key, within the tolerance."""
    of = _source("standard_webhooks", standard_keys=_STANDARD_KEYS, tolerance_s=60)
    now_s = support.NOW_MS // 1000

    def headers(key: bytes, at_s: int) -> tuple[tuple[str, str], ...]:
        signature = signing.sign_standard(key, "msg_1", at_s, support.BODY)
        return (
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", str(at_s)),
            ("webhook-signature", signature),
        )

    for position, key in enumerate(_STANDARD_KEYS):
        callback = _callback(headers=headers(key, now_s))
        verified = authenticate.verify(of, callback)
        assert (
            ingress.Match(labels.Authenticator.STANDARD_WEBHOOKS, position),
        ) == verified.matches
    for at_s, cause in ((now_s - 61, "stale"), (now_s + 61, "future")):
        callback = _callback(headers=headers(_STANDARD_KEYS[0], at_s))
        assert f"{cause}_timestamp" == _cause(of, callback)
    assert _cause(of, _callback()) == "missing_signature"


def test_signed_url() -> None:
    """The token passes for its own source alone."""
    of = support.url_source("a")

    verified = authenticate.verify(of, _callback(token=support.token("a")))

    match = ingress.Match(labels.Authenticator.SIGNED_URL, 0)
    assert (match,) == verified.matches
    assert _cause(of, _callback()) == "missing_token"
    assert _cause(of, _callback(token=support.token("b"))) == "wrong_token"
    assert _cause(of, _callback(token="\ud800")) == "wrong_token"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic(scheme: str) -> None:
    """Either credential passes, whatever the case of the scheme's name."""
    of = _source("basic", basic_credentials=(b"user:pass:word", "büro:ä".encode()))

    for position, text in enumerate(("user:pass:word", "büro:ä")):
        header = ("authorization", f"{scheme} {_basic(text)}")
        verified = authenticate.verify(of, _callback(headers=(header,)))
        assert (
            ingress.Match(labels.Authenticator.BASIC, position),
        ) == verified.matches


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic ",
        "Basic é",
        "Basic \udcff",
        "Basic dXNlcjpwYXNz!",
        f"Bearer {_basic('user:pass')}",
        f"Basic {_basic('user:other')}",
        f"Basic {_basic('')}",
        "user:pass",
    ],
)
def test_wrong_basic(value: str) -> None:
    """Anything else than the credentials is wrong, and raises nothing else."""
    of = _source("basic", basic_credentials=(b"user:pass",))

    assert _cause(of, _callback(headers=(("authorization", value),))) == "wrong_basic"


def test_missing_and_repeated_basic() -> None:
    """Credentials stand in exactly one header."""
    of = _source("basic", basic_credentials=(b"user:pass",))
    good = ("authorization", f"Basic {_basic('user:pass')}")

    assert _cause(of, _callback()) == "missing_basic"
    assert _cause(of, _callback(headers=(good, good))) == "wrong_basic"


def _with_key(key: object, **more: object) -> model.Callback:
    return _callback(body=orjson.dumps({"key": key, "session": "a", **more}))


def _keyed() -> ingress.IngressSource:
    return _source(
        "body_key", body_key_field="key", body_keys=(b"new key", "ö".encode())
    )


def test_body_key_is_taken_out() -> None:
    """Either key passes; neither the document nor the digest holds it."""
    verified = [authenticate.verify(_keyed(), _with_key(k)) for k in ("new key", "ö")]

    assert [each.matches[0].position for each in verified] == [0, 1]
    assert all(each.callback.document == {"session": "a"} for each in verified)
    assert len({each.callback.digest for each in verified}) == 1


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        (None, "missing_body_key"),
        ("", "wrong_body_key"),
        ("old key", "wrong_body_key"),
        (1, "wrong_body_key"),
        (True, "wrong_body_key"),
        (["new key"], "wrong_body_key"),
        ({"new key": 1}, "wrong_body_key"),
        ("new key\x00", "wrong_body_key"),
    ],
)
def test_wrong_body_key(key: object, cause: str) -> None:
    """A key of another type or value is wrong, none at all is missing."""
    assert cause == _cause(_keyed(), _with_key(key))


def test_body_key_is_taken_out_where_it_is_not_asked_for() -> None:
    """Nobody sees the key in the document, whatever the source lists."""
    of = support.url_source("a", body_key_field="key")
    callback = _with_key("x")._replace(token=support.token("a"))

    assert authenticate.verify(of, callback).callback.document == {"session": "a"}


def test_body_key_within_the_depth_of_the_writer() -> None:
    """A document that can be read and not written again is malformed, not a fault."""
    body = b'{"key":"new key","a":' + b"[" * 900 + b"]" * 900 + b"}"

    with pytest.raises(errors.MalformedBody):
        authenticate.verify(_keyed(), _callback(body=body))


def test_all_listed_must_pass() -> None:
    """One authenticator that passes does not stand in for another."""
    of = support.url_source(
        "a",
        authenticators=frozenset({"signed_url", "ip_allow", "body_key"}),
        networks=(ipaddress.ip_network("192.0.2.0/24"),),
        body_key_field="key",
        body_keys=(b"k",),
    )
    good = _with_key("k")._replace(token=support.token("a"))

    assert len(authenticate.verify(of, good).matches) == 2
    for change, cause in (
        ({"token": None}, "missing_token"),
        ({"remote": "198.51.100.1"}, "address"),
        ({"body": b"{}"}, "missing_body_key"),
    ):
        assert cause == _cause(of, good._replace(**change))


def test_errors_hold_nothing_of_the_body() -> None:
    """A refusal carries no part of what was sent, nor does its context."""
    of = support.url_source("a")
    callback = _callback(token=support.token("a"), body=b'{"name":"a marker"')

    with pytest.raises(errors.MalformedBody) as failure:
        authenticate.verify(of, callback)

    assert failure.value.__context__ is None
    assert "a marker" not in str(failure.value)
