"""Verify a JWT (ES256) that contains the SHA-256 of the body (Plaid)."""

import dataclasses
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from worker import errors
from worker.signing import scheme

_MAX_CHARS = 4096
_PART = re.compile(r"[A-Za-z0-9_-]+")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_POINT_BYTES = 64  # x and y of P-256
_MAX_SECONDS = 10**15


@dataclasses.dataclass(frozen=True, slots=True)
class _Token:
    key_id: str
    signed: bytes
    signature: bytes
    claims: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class BodyJws:
    """
    A JWT in *header*: ES256, with ``iat`` and the digest of the raw body as a claim.

    A key is the 64 bytes x and y of a point on P-256. The algorithm is never read
    from the token: one that names another is malformed.
    """

    header: str
    digest_claim: str

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the header that is read, in lower case."""
        return (self.header.lower(),)

    def require(self, presented: scheme.Presented) -> None:
        """Return if the token is well-formed; raises errors.AuthenticationError."""
        self._read(presented)

    def key_id(self, presented: scheme.Presented) -> str:
        """
        Return the key's name as the token says, which proves nothing yet.

        Raises errors.AuthenticationError, nothing else.
        """
        return self._read(presented).key_id

    def verify(
        self,
        keys: Sequence[bytes],
        presented: scheme.Presented,
        body: bytes,
        *,
        now_ms: int,
        tolerance_ms: int,
    ) -> int:
        """
        Return the position of the first key that signed the token of *body*.

        Raises errors.AuthenticationError, nothing else.
        """
        token = self._read(presented)
        found = -1
        for position, key in enumerate(keys):
            if _is_signed(token, key) and found < 0:
                found = position
        digest = token.claims.get(self.digest_claim)
        text = digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else ""
        expected = hashlib.sha256(body).hexdigest()
        if not hmac.compare_digest(expected, text) or found < 0:
            raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
        issued_s = token.claims.get("iat")
        if isinstance(issued_s, bool) or not isinstance(issued_s, int):
            raise errors.AuthenticationError(errors.AuthCause.MISSING_TIMESTAMP)
        if not 0 <= issued_s < _MAX_SECONDS:
            raise errors.AuthenticationError(errors.AuthCause.MISSING_TIMESTAMP)
        scheme.check_timestamp(issued_s, now_ms=now_ms, tolerance_ms=tolerance_ms)
        return found

    def _read(self, presented: scheme.Presented) -> _Token:
        text = scheme.single(presented(self.headers[0]))
        parts = text.split(".", 3) if len(text) <= _MAX_CHARS else []
        if len(parts) == 3 and all(map(_PART.fullmatch, parts)):  # noqa: PLR2004 -- RFC 7515
            head, claims = _object(parts[0]), _object(parts[1])
            signature = scheme.unbase64url(parts[2])
            key_id = head.get("kid")
            if (
                head.get("alg") == "ES256"
                and "crit" not in head
                and isinstance(key_id, str)
                and _KEY_ID.fullmatch(key_id)
                and len(signature) == _POINT_BYTES
            ):
                signed = f"{parts[0]}.{parts[1]}".encode()
                return _Token(key_id, signed, signature, claims)
        raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)


def _object(part: str) -> Mapping[str, Any]:
    """Return the JSON object that *part* encodes, empty where it is none."""
    try:
        value = orjson.loads(scheme.unbase64url(part))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_signed(token: _Token, key: bytes) -> bool:
    # Here: only who verifies such tokens loads what does it.
    from cryptography import exceptions  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415 -- see above
        ec,
        utils,
    )

    if len(key) != _POINT_BYTES:
        return False
    half = _POINT_BYTES // 2
    r, s = (
        int.from_bytes(each)
        for each in (token.signature[:half], token.signature[half:])
    )
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x04" + key
        )
        der = utils.encode_dss_signature(r, s)
        public.verify(der, token.signed, ec.ECDSA(hashes.SHA256()))
    except (exceptions.InvalidSignature, ValueError):
        return False
    return True


def public_key(jwk: Mapping[str, Any]) -> bytes | None:
    """Return the key of an ES256 *jwk*, None where it is another or no key."""
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        return None
    if jwk.get("alg", "ES256") != "ES256":
        return None
    half = _POINT_BYTES // 2
    parts = [jwk.get("x"), jwk.get("y")]
    texts = [each for each in parts if isinstance(each, str) and _PART.fullmatch(each)]
    halves = [scheme.unbase64url(each) for each in texts]
    if [len(each) for each in halves] != [half, half]:
        return None
    return b"".join(halves)
