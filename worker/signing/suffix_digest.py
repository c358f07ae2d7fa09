"""Sign and verify a SHA-256 of the body followed by the secret (Shufti Pro)."""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Literal

from worker import errors
from worker.signing import scheme

_SIZE = 32


@dataclasses.dataclass(frozen=True, slots=True)
class SuffixDigest:
    """
    SHA-256 in hex over the raw body and, after it, the secret.

    *recipe* ``hashed_secret``: the SHA-256 of the secret in lower-case hex follows the
    body; ``plain_secret``: the secret itself follows (older accounts).
    """

    header: str
    recipe: Literal["hashed_secret", "plain_secret"] = "hashed_secret"

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the headers that are read, in lower case."""
        return (self.header.lower(),)

    def require(self, presented: scheme.Presented) -> None:
        """Return if the header is well-formed; raises errors.AuthenticationError."""
        _decode(presented(self.headers[0]))

    def verify(
        self,
        keys: Sequence[bytes],
        presented: scheme.Presented,
        body: bytes,
        *,
        now_ms: int,  # noqa: ARG002 -- no time is signed
        tolerance_ms: int,  # noqa: ARG002 -- no time is signed
    ) -> int:
        """
        Return the position of the first key that signed *body*.

        Raises errors.AuthenticationError, nothing else.
        """
        return self.match(keys, presented(self.headers[0]), body)

    def match(self, keys: Sequence[bytes], values: Sequence[str], body: bytes) -> int:
        """Return the position of the key, *values* being all values of the header."""
        digest = _decode(values)
        expected = [self._digest(key, body) if key else b"" for key in keys]
        return scheme.match(expected, digest, errors.AuthCause.WRONG_SIGNATURE)

    def sign(self, key: bytes, body: bytes) -> str:
        """Return the header value for *body*; raises ValueError for an empty *key*."""
        if not key:
            raise ValueError("an empty key signs nothing")
        return self._digest(key, body).hex()

    def _digest(self, key: bytes, body: bytes) -> bytes:
        hashed = self.recipe == "hashed_secret"
        suffix = hashlib.sha256(key).hexdigest().encode() if hashed else key
        return hashlib.sha256(body + suffix).digest()


def _decode(values: Sequence[str]) -> bytes:
    digest = scheme.unhex(scheme.single(values))
    if len(digest) != _SIZE:
        raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
    return digest
