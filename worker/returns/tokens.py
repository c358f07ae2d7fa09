"""
Tell a company's page who has come back, in a token that it can check by itself.

A JWT, signed with ES256; it says that this session's person has returned, and never
with what outcome: that is the decision's affair. It travels in an address, and at
most providers a session id opens the session: it carries a hash of it.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import cast

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt import algorithms

from worker import model
from worker.settings import api

_ALGORITHM = "ES256"
_TYPE = "kyc-return+jwt"


@dataclasses.dataclass(frozen=True, slots=True)
class _Key:
    """A signing key, and what is published of it."""

    private: ec.EllipticCurvePrivateKey = dataclasses.field(repr=False)
    public: dict[str, str]

    @classmethod
    def load(cls, pem: bytes) -> "_Key":
        """Return the key of *pem*; raises ValueError for anything but P-256."""
        if not api.is_p256(pem):
            raise ValueError("must be an EC private key on P-256, in PEM, unencrypted")
        private = cast(
            "ec.EllipticCurvePrivateKey",
            serialization.load_pem_private_key(pem, password=None),
        )
        public = algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        thumbprint = {name: public[name] for name in ("crv", "kty", "x", "y")}
        # RFC 7638: the key's id is the same on every replica, and after every restart.
        digest = hashlib.sha256(orjson.dumps(thumbprint)).digest()
        kid = jwt.utils.base64url_encode(digest).decode()
        return cls(private, thumbprint | {"kid": kid, "use": "sig", "alg": _ALGORITHM})


class ReturnTokenSigner:
    """
    Signs with the first of *keys* (PEM) and publishes all of them.

    Raises ValueError for a key that is no EC private key on P-256.
    """

    def __init__(self, keys: Sequence[bytes], *, issuer: str, ttl_ms: int) -> None:
        self._keys = [_Key.load(pem) for pem in keys]
        self._issuer = issuer
        self._ttl_s = ttl_ms // 1000
        #: the document of ``/.well-known/jwks.json``
        self.jwks = orjson.dumps({"keys": [key.public for key in self._keys]})

    def make(self, session: model.SessionKey, audience: str, now: int) -> str | None:
        """Return the token about *session*, made at *now* (ms); None without a key."""
        if not self._keys:
            return None
        key = self._keys[0]
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": subject(session),
            "iat": now // 1000,
            "exp": now // 1000 + self._ttl_s,
        }
        headers = {"typ": _TYPE, "kid": key.public["kid"]}
        return jwt.encode(claims, key.private, algorithm=_ALGORITHM, headers=headers)


def subject(session: model.SessionKey) -> str:
    """
    Return what stands for *session* in a statement: its source and a hash of its key.

    Not keyed, so that a service that knows the session (from its start or its
    decisions) can compare; it opens nothing. Logs have its first 16 digits.
    """
    return f"{session.source}:{hashlib.sha256(str(session).encode()).hexdigest()}"
