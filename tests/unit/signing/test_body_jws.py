"""JWTs over the body's digest: the vector, and every way to be wrong."""

import base64
import pathlib
from collections.abc import Callable
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from worker import errors, signing

_VECTOR: dict[str, Any] = orjson.loads(
    (pathlib.Path(__file__).parent / "vectors.json").read_bytes()
)["plaid"]
_SCHEME = signing.BodyJws("Plaid-Verification", "request_body_sha256")
_BODY, _JWT = _VECTOR["body"].encode(), _VECTOR["jwt"]
_NOW_MS = _VECTOR["iat"] * 1000
_KEY = signing.public_key(_VECTOR["jwk"]) or b""
_OTHER = b"\x01" * 64


def _verify(
    *tokens: str,
    body: bytes = _BODY,
    keys: tuple[bytes, ...] = (_OTHER, _KEY),
    now_ms: int = _NOW_MS,
) -> int:
    return _SCHEME.verify(
        keys, lambda _: list(tokens), body, now_ms=now_ms, tolerance_ms=300_000
    )


def _cause(do: Callable[[], object]) -> str:
    with pytest.raises(errors.AuthenticationError) as caught:
        do()
    return caught.value.cause.value


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def _headed(**head: object) -> str:
    """Return the vector with another head, signed as it was."""
    _, claims, signature = _JWT.split(".")
    whole = {"alg": "ES256", "kid": _VECTOR["jwk"]["kid"], "typ": "JWT"} | head
    return f"{_encode(whole)}.{claims}.{signature}"


def test_the_vector_verifies() -> None:
    """The token verifies with its key, names it, and covers no other body."""
    assert len(_KEY) == 64
    assert _verify(_JWT) == 1
    assert _SCHEME.key_id(lambda _: [_JWT]) == _VECTOR["jwk"]["kid"]
    assert _cause(lambda: _verify(_JWT, body=_BODY + b" ")) == "wrong_signature"
    assert _cause(lambda: _verify(_JWT, keys=(_OTHER,))) == "wrong_signature"
    assert _cause(lambda: _verify(_JWT, keys=())) == "wrong_signature"
    assert _cause(lambda: _verify(_JWT, keys=(b"",))) == "wrong_signature"


@pytest.mark.parametrize(
    ("drift_s", "cause"), [(301, "stale_timestamp"), (-301, "future_timestamp")]
)
def test_the_issue_time_is_checked_both_ways(drift_s: int, cause: str) -> None:
    """An authentic token is stale, or from the future, beyond the tolerance."""
    assert _verify(_JWT, now_ms=_NOW_MS + 300_000) == 1
    assert _cause(lambda: _verify(_JWT, now_ms=_NOW_MS + drift_s * 1000)) == cause


@pytest.mark.parametrize(
    "head",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "es256"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"kid": None},
        {"kid": ""},
        {"kid": "../x"},
        {"kid": "k" * 65},
        {"crit": ["b64"]},
    ],
)
def test_a_token_of_another_kind_is_malformed(head: dict[str, object]) -> None:
    """The algorithm is ours to choose, and the key has a plain name."""
    assert _cause(lambda: _verify(_headed(**head))) == "malformed_signature"


def test_a_head_is_signed() -> None:
    """The same claims under another key's name are refused."""
    assert _cause(lambda: _verify(_headed(kid="another"))) == "wrong_signature"


@pytest.mark.parametrize(
    ("tokens", "cause"),
    [
        ([], "missing_signature"),
        ([""], "missing_signature"),
        ([_JWT, _JWT], "repeated_signature"),
        ([_JWT + "."], "malformed_signature"),
        ([_JWT + "=="], "malformed_signature"),
        ([_JWT.rpartition(".")[0] + "."], "malformed_signature"),
        ([_JWT[:-3]], "malformed_signature"),
        (["a" * 5000], "malformed_signature"),
        (["." * 4000], "malformed_signature"),
    ],
)
def test_a_token_is_refused(tokens: list[str], cause: str) -> None:
    """Each way to be wrong has its cause."""
    assert _cause(lambda: _verify(*tokens)) == cause


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "oct"},
        {"crv": "P-384"},
        {"alg": "HS256"},
        {"x": None},
        {"x": "a"},
        {"y": "*" * 43},
        {"x": "A" * 86},
    ],
)
def test_a_key_of_another_kind_is_none(changes: dict[str, object]) -> None:
    """Only points of P-256 are keys."""
    assert signing.public_key(_VECTOR["jwk"] | changes) is None


@hypothesis.given(
    parts=st.lists(
        st.one_of(
            st.text(max_size=30),
            st.dictionaries(
                st.sampled_from(["alg", "kid", "iat", "request_body_sha256"]),
                st.one_of(st.none(), st.integers(0, 2**60), st.just("ES256")),
            ).map(_encode),
            st.binary(min_size=64, max_size=64).map(
                lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
            ),
        ),
        max_size=4,
    )
)
@hypothesis.settings(max_examples=80)
def test_any_token_raises_the_one_error(parts: list[str]) -> None:
    """For any header there is the authentication error and no other."""
    assert _cause(lambda: _verify(".".join(parts)))
