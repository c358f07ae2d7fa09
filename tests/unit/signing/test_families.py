"""Signature schemes: published vectors, rotation, and every way to be wrong."""

import contextlib
import hashlib
import pathlib
from collections.abc import Callable
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from worker import errors, signing

_VECTORS: dict[str, dict[str, Any]] = orjson.loads(
    (pathlib.Path(__file__).parent / "vectors.json").read_bytes()
)
_STRIPE = signing.TimestampedHmac("Stripe-Signature")
_PERSONA = signing.TimestampedHmac("Persona-Signature", set_separator=" ")
_ONDATO = signing.TimestampedHmac("Ondato-Signature", signature_key="s")
_DIDIT = signing.BodyTimeHmac(signing.BodyHmac("X-Signature"))
_SHUFTI = signing.SuffixDigest("Signature")
_OLD_SHUFTI = signing.SuffixDigest("Signature", recipe="plain_secret")
_VERIFF = signing.BodyHmac(
    "X-HMAC-SIGNATURE",
    aliases=("VRF-HMAC-SIGNATURE",),
    equal_headers=(signing.EqualHeader("X-AUTH-CLIENT", "client"),),
)
_SUMSUB = signing.BodyHmac(
    "X-Payload-Digest",
    digest="sha1",
    equal_headers=(
        signing.EqualHeader("X-Payload-Digest-Alg", "HMAC_SHA1_HEX", optional=True),
    ),
)
_KEY, _OLD, _BODY = b"a key of the present", b"a key of the past", b'{"timestamp":1000}'
_NOW_MS = 1_000_000

_ALL: dict[str, signing.SignatureScheme] = {
    "stripe": _STRIPE,
    "persona": _PERSONA,
    "ondato": _ONDATO,
    "didit": _DIDIT,
    "shuftipro": _SHUFTI,
    "old_shuftipro": _OLD_SHUFTI,
    "veriff": _VERIFF,
    "sumsub": _SUMSUB,
    "standard": signing.STANDARD_WEBHOOKS,
}


def _presented(**headers: str | list[str]) -> signing.Presented:
    """Return the lookup of *headers*; ``_`` in a name stands for ``-``."""
    found = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value
        for name, value in headers.items()
    }
    return lambda name: found.get(name, [])


def _verify(
    scheme: signing.SignatureScheme,
    presented: signing.Presented,
    body: bytes = _BODY,
    *,
    keys: tuple[bytes, ...] = (_KEY, _OLD),
    now_ms: int = _NOW_MS,
) -> int:
    return scheme.verify(keys, presented, body, now_ms=now_ms, tolerance_ms=300_000)


def _cause(do: Callable[[], object]) -> str:
    with pytest.raises(errors.AuthenticationError) as caught:
        do()
    return caught.value.cause.value


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("onfido", signing.BodyHmac("X-SHA2-Signature")),
        ("sumsub", _SUMSUB),
        ("veriff", signing.BodyHmac("X-HMAC-SIGNATURE")),
        ("didit", _DIDIT),
        ("shuftipro", _SHUFTI),
    ],
)
def test_a_published_vector_verifies(name: str, scheme: signing.BodyHmac) -> None:
    """The signature is the published one, verifies, and no other body does."""
    vector = _VECTORS[name]
    key, body = vector["secret"].encode(), vector["body"].encode()
    now_ms = vector.get("timestamp", 0) * 1000
    presented = _presented(**{scheme.headers[0]: vector["expected"]})

    assert scheme.sign(key, body) == vector["expected"]
    assert _verify(scheme, presented, body, keys=(b"", key), now_ms=now_ms) == 1
    changed = body.replace(b"e", b"E", 1)
    assert _cause(lambda: _verify(scheme, presented, changed, keys=(key,))) == (
        "wrong_signature"
    )


def test_persona_rotates_with_two_sets() -> None:
    """Either secret verifies the published header with two sets."""
    vector = _VECTORS["persona"]
    body, at_ms = vector["body"].encode(), vector["timestamp"] * 1000
    presented = _presented(persona_signature=vector["header"])
    for secret in vector["secrets"].values():
        keys = (b"another", secret.encode())
        assert _verify(_PERSONA, presented, body, keys=keys, now_ms=at_ms) == 1
    (secret, *_) = vector["secrets"].values()
    keys = (b"another", secret.encode() + b"x")
    assert (
        _cause(lambda: _verify(_PERSONA, presented, body, keys=keys, now_ms=at_ms))
        == "wrong_signature"
    )


def test_ondato_separates_pairs_with_a_comma_and_a_space() -> None:
    """The derived vector verifies as ``t=…, s=…``."""
    vector = _VECTORS["ondato"]
    at_s, body = vector["timestamp"], vector["body"].encode()
    presented = _presented(ondato_signature=f"t={at_s}, s={vector['expected']}")

    keys = (vector["secret"].encode(),)
    assert _verify(_ONDATO, presented, body, keys=keys, now_ms=at_s * 1000) == 0


def test_stripe_has_several_signatures() -> None:
    """One ``v1`` of several is enough; ``v0`` is ignored."""
    signed = _STRIPE.sign(_OLD, _BODY, 1000)
    header = f"t=1000,v0=00,v1={'0' * 64},{signed.split(',')[1]}"

    assert _verify(_STRIPE, _presented(stripe_signature=header)) == 1


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ([], "missing_signature"),
        ([""], "missing_signature"),
        (["t=1,v1=a", "t=1,v1=b"], "repeated_signature"),
        (["v1=" + "0" * 64], "malformed_signature"),
        (["t=1000,v0=" + "0" * 64], "malformed_signature"),
        (["t=1000,v1=" + "0" * 63], "malformed_signature"),
        (["t=1000,t=1000,v1=" + "0" * 64], "malformed_signature"),
        (["t=-1000,v1=" + "0" * 64], "malformed_signature"),
        (["t=,v1=" + "0" * 64], "malformed_signature"),
        (["t=\u0661,v1=" + "0" * 64], "malformed_signature"),
        (["a=1," * 1000 + "t=1000,v1=" + "0" * 64], "malformed_signature"),
        (["t=1000,v1=" + "0" * 64], "wrong_signature"),
    ],
)
def test_a_timestamped_header_is_refused(header: list[str], cause: str) -> None:
    """Each way to be wrong has its cause."""
    presented = _presented(stripe_signature=header)

    assert _cause(lambda: _verify(_STRIPE, presented)) == cause
    if cause != "wrong_signature":
        assert _cause(lambda: _STRIPE.require(presented)) == cause
    else:
        _STRIPE.require(presented)


@pytest.mark.parametrize("scheme", ["stripe", "didit"])
@pytest.mark.parametrize(
    ("drift_ms", "cause"),
    [
        (300_000, None),
        (-300_000, None),
        (301_000, "stale_timestamp"),
        (-301_000, "future_timestamp"),
    ],
)
def test_the_signed_time_is_checked_both_ways(
    scheme: str, drift_ms: int, cause: str | None
) -> None:
    """An authentic callback is stale, or from the future, beyond the tolerance."""
    headers = {
        "stripe": _presented(stripe_signature=_STRIPE.sign(_KEY, _BODY, 1000)),
        "didit": _presented(x_signature=_DIDIT.sign(_KEY, _BODY)),
    }

    def verify() -> int:
        return _verify(_ALL[scheme], headers[scheme], now_ms=_NOW_MS + drift_ms)

    if cause is None:
        assert verify() == 0
    else:
        assert _cause(verify) == cause


@pytest.mark.parametrize(
    "body", [b"{}", b"1", b"", b"{", b'{"timestamp":"1"}', b'{"timestamp":true}']
)
def test_a_signed_body_without_time_is_refused(body: bytes) -> None:
    """Freshness is read from the signed body, and from nothing else."""
    presented = _presented(x_signature=_DIDIT.sign(_KEY, body))

    assert _cause(lambda: _verify(_DIDIT, presented, body)) == "missing_timestamp"


def test_both_names_of_a_header_must_agree() -> None:
    """Either name is enough; two that differ are refused, and so is another client."""
    signed, other = _VERIFF.sign(_KEY, _BODY), _VERIFF.sign(_OLD, _BODY)

    def headers(**more: str) -> signing.Presented:
        return _presented(**{"x_auth_client": "client"} | more)

    assert _verify(_VERIFF, headers(x_hmac_signature=signed)) == 0
    assert _verify(_VERIFF, headers(vrf_hmac_signature=signed.upper())) == 0
    both = headers(x_hmac_signature=signed, vrf_hmac_signature=signed)
    assert _verify(_VERIFF, both) == 0
    differ = headers(x_hmac_signature=signed, vrf_hmac_signature=other)
    assert _cause(lambda: _verify(_VERIFF, differ)) == "wrong_signature"
    nothing = headers()
    assert _cause(lambda: _verify(_VERIFF, nothing)) == "missing_signature"
    client = headers(x_hmac_signature=signed, x_auth_client="another\udc80")
    assert _cause(lambda: _verify(_VERIFF, client)) == "wrong_signature"
    absent = _presented(x_hmac_signature=signed)
    assert _cause(lambda: _verify(_VERIFF, absent)) == "missing_signature"


def test_the_digest_is_pinned() -> None:
    """Another algorithm in the header is refused; an absent one is not."""
    signed = _SUMSUB.sign(_KEY, _BODY)

    assert _verify(_SUMSUB, _presented(x_payload_digest=signed)) == 0
    presented = _presented(
        x_payload_digest=signed, x_payload_digest_alg="HMAC_SHA256_HEX"
    )
    assert _cause(lambda: _verify(_SUMSUB, presented)) == "wrong_signature"


def test_the_suffix_recipes_differ() -> None:
    """Each recipe is the documented one and refuses the other's digest."""
    plain = hashlib.sha256(_BODY + _KEY).hexdigest()
    inner = hashlib.sha256(_KEY).hexdigest().encode()
    hashed = hashlib.sha256(_BODY + inner).hexdigest()

    assert _OLD_SHUFTI.sign(_KEY, _BODY) == plain
    assert _SHUFTI.sign(_KEY, _BODY) == hashed
    presented = _presented(signature=plain)
    assert _verify(_OLD_SHUFTI, presented) == 0
    assert _cause(lambda: _verify(_SHUFTI, presented)) == "wrong_signature"


@pytest.mark.parametrize("scheme", [_SHUFTI, _OLD_SHUFTI])
def test_an_empty_key_signs_and_verifies_nothing(scheme: signing.SuffixDigest) -> None:
    """An empty secret would make a digest that everybody can compute."""
    digest = hashlib.sha256(_BODY).hexdigest()

    with pytest.raises(ValueError, match="empty"):
        scheme.sign(b"", _BODY)
    presented = _presented(signature=digest)
    assert _cause(lambda: _verify(scheme, presented, keys=(b"",))) == "wrong_signature"


@pytest.mark.parametrize("name", _ALL)
@hypothesis.given(
    values=st.lists(
        st.one_of(
            st.text(st.characters(codec=None), max_size=80),
            st.text("0123456789abcdefABCDEF", min_size=64, max_size=64),
            st.text("t=v1s,0 ", max_size=80),
        ),
        max_size=2,
    ),
    body=st.binary(max_size=60),
)
@hypothesis.settings(max_examples=60)
def test_any_headers_raise_the_one_error(
    name: str, values: list[str], body: bytes
) -> None:
    """For any headers and any body there is the authentication error and no other."""
    scheme = _ALL[name]

    _cause(lambda: _verify(scheme, lambda _: values, body))
    with contextlib.suppress(errors.AuthenticationError):
        scheme.require(lambda _: values)
