"""Verify an HMAC over a body that contains its own time (Didit)."""

import dataclasses
from collections.abc import Sequence

import orjson

from worker import errors
from worker.signing import body_hmac, scheme

_MAX_SECONDS = 10**15


@dataclasses.dataclass(frozen=True, slots=True)
class BodyTimeHmac:
    """
    *hmac* over the raw body, whose member *field* is the time of sending in seconds.

    A timestamp in a header that no signature covers proves nothing: the time is read
    from the body, and only after the signature matched.
    """

    hmac: body_hmac.BodyHmac
    field: str = "timestamp"

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the headers that are read, in lower case."""
        return self.hmac.headers

    def require(self, presented: scheme.Presented) -> None:
        """Return if the headers are well-formed; raises errors.AuthenticationError."""
        self.hmac.require(presented)

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
        Return the position of the first key that signed *body*.

        Raises errors.AuthenticationError, nothing else.
        """
        position = self.hmac.verify(
            keys, presented, body, now_ms=now_ms, tolerance_ms=tolerance_ms
        )
        timestamp_s = self._timestamp(body)
        scheme.check_timestamp(timestamp_s, now_ms=now_ms, tolerance_ms=tolerance_ms)
        return position

    def sign(self, key: bytes, body: bytes) -> str:
        """Return the header value for *body*; raises ValueError for an empty *key*."""
        return self.hmac.sign(key, body)

    def _timestamp(self, body: bytes) -> int:
        try:
            document = orjson.loads(body)
        except ValueError:
            document = None
        value = document.get(self.field) if isinstance(document, dict) else None
        if isinstance(value, bool) or not isinstance(value, int):
            raise errors.AuthenticationError(errors.AuthCause.MISSING_TIMESTAMP)
        if not 0 <= value < _MAX_SECONDS:
            raise errors.AuthenticationError(errors.AuthCause.MISSING_TIMESTAMP)
        return value
