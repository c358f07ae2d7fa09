"""Verify signatures that cover a timestamp: ``t=…,v1=…`` (Stripe, Persona, Ondato)."""

import dataclasses
import hmac
import re
from collections.abc import Iterator, Sequence

from worker import errors
from worker.signing import scheme

_SIZE = 32  # SHA-256
_TIMESTAMP = re.compile(r"[0-9]{1,15}")
#: Pairs in one header value; more is no signature that a provider sends.
_MAX_PAIRS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class TimestampedHmac:
    """
    HMAC-SHA256 over ``{timestamp}.{body}``; timestamp and signatures in one header.

    A header value holds sets of ``key=value`` pairs: *set_separator* stands between
    sets (empty: there is one set), *pair_separator* between the pairs of a set. Spaces
    around a pair are ignored. Every pair named *signature_key* of a set is compared,
    others are ignored. The key is the secret's text, whole.
    """

    header: str
    signature_key: str = "v1"
    timestamp_key: str = "t"
    pair_separator: str = ","
    set_separator: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the headers that are read, in lower case."""
        return (self.header.lower(),)

    def require(self, presented: scheme.Presented) -> None:
        """Return if the header is well-formed; raises errors.AuthenticationError."""
        self._sets(presented)

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

        The timestamp is checked after the signature, in both directions. Raises
        errors.AuthenticationError, nothing else.
        """
        found, signed_s = -1, 0
        for timestamp, macs in self._sets(presented):
            signed = timestamp.encode() + b"." + body
            for position, key in enumerate(keys):
                expected = hmac.digest(key, signed, "sha256") if key else b""
                for mac in macs:
                    equal = hmac.compare_digest(expected, mac)
                    if equal and found < 0:
                        found, signed_s = position, int(timestamp)
        if found < 0:
            raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
        scheme.check_timestamp(signed_s, now_ms=now_ms, tolerance_ms=tolerance_ms)
        return found

    def sign(self, key: bytes, body: bytes, timestamp_s: int) -> str:
        """Return the header value for *body*; raises ValueError for an empty *key*."""
        if not key:
            raise ValueError("an empty key signs nothing")
        mac = hmac.digest(key, f"{timestamp_s}.".encode() + body, "sha256").hex()
        pairs = (f"{self.timestamp_key}={timestamp_s}", f"{self.signature_key}={mac}")
        return self.pair_separator.join(pairs)

    def _sets(self, presented: scheme.Presented) -> list[tuple[str, list[bytes]]]:
        text = scheme.single(presented(self.headers[0]))
        parts = text.split(self.set_separator) if self.set_separator else [text]
        found = list(self._read(parts))
        if not found:
            raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
        return found

    def _read(self, parts: Sequence[str]) -> Iterator[tuple[str, list[bytes]]]:
        left = _MAX_PAIRS
        for part in parts:
            timestamps: list[str] = []
            macs: list[bytes] = []
            for pair in part.split(self.pair_separator, left)[:left]:
                left -= 1
                key, _, value = pair.strip().partition("=")
                if key == self.timestamp_key:
                    timestamps.append(value)
                elif key == self.signature_key and (mac := _unhex(value)):
                    macs.append(mac)
            if not macs:
                continue
            if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
                raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
            yield timestamps[0], macs


def _unhex(text: str) -> bytes:
    """Return the digest that *text* spells, empty where it is none."""
    mac = scheme.unhex(text)
    return mac if len(mac) == _SIZE else b""
