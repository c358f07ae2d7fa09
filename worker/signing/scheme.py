"""Define what a signature scheme is, and the checks that the schemes share."""

import binascii
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from worker import errors

#: returns all values of a header, given its name in lower case
Presented = Callable[[str], Sequence[str]]
#: returns the keys that may have signed, from somewhere else than the settings; raises
#: errors.AuthenticationError where there is none, errors.FetchError where none can be
#: fetched now
KeySource = Callable[[Presented], Awaitable[Sequence[bytes]]]


class SignatureScheme(Protocol):
    """
    How a provider signs a callback.

    For any headers and any body the methods return, or raise
    errors.AuthenticationError, and nothing else. An empty key never matches.
    """

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the names of the headers that are read, in lower case."""
        ...

    def require(self, presented: Presented) -> None:
        """Return if the headers are well-formed, whatever they sign."""
        ...

    def verify(
        self,
        keys: Sequence[bytes],
        presented: Presented,
        body: bytes,
        *,
        now_ms: int,
        tolerance_ms: int,
    ) -> int:
        """Return the position of the first key of *keys* that signed *body*."""
        ...


def single(
    presented: Sequence[str],
    missing: errors.AuthCause = errors.AuthCause.MISSING_SIGNATURE,
) -> str:
    """Return the only value; two could be read differently by two readers."""
    if len(presented) > 1:
        raise errors.AuthenticationError(errors.AuthCause.REPEATED_SIGNATURE)
    if not presented or not presented[0]:
        raise errors.AuthenticationError(missing)
    return presented[0]


def check_timestamp(timestamp_s: int, *, now_ms: int, tolerance_ms: int) -> None:
    """Return if a signed time, in seconds, is near enough to now, both ways."""
    age_ms = (now_ms // 1000 - timestamp_s) * 1000
    if age_ms > tolerance_ms:
        raise errors.AuthenticationError(errors.AuthCause.STALE_TIMESTAMP)
    if -age_ms > tolerance_ms:
        raise errors.AuthenticationError(errors.AuthCause.FUTURE_TIMESTAMP)


def unhex(text: str) -> bytes:
    """Return the bytes of hex in either case without anything else, or none."""
    try:
        return binascii.unhexlify(text)  # takes no white space, as fromhex does
    except ValueError:
        return b""


def unbase64(text: str) -> bytes:
    """Return the bytes of padded standard base64 without anything else, or none."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def unbase64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url, or none."""
    plain = text.replace("-", "+").replace("_", "/")
    return unbase64(plain + "=" * (-len(text) % 4))


def match_any(
    expected: Sequence[bytes], presented: Sequence[bytes], cause: errors.AuthCause
) -> int:
    """
    Return the first position of *expected* that is among *presented*.

    Every pair is compared, in constant time; empty bytes never match. Raises
    errors.AuthenticationError with *cause*.
    """
    found = -1
    for position, mac in enumerate(expected):
        for candidate in presented:
            if hmac.compare_digest(mac, candidate) and mac and found < 0:
                found = position
    if found < 0:
        raise errors.AuthenticationError(cause)
    return found


def match(secrets: Sequence[bytes], presented: bytes, cause: errors.AuthCause) -> int:
    """
    Return the position of *presented* in *secrets*, compared in constant time.

    Raises errors.AuthenticationError with *cause*, nothing else.
    """
    return match_any(secrets, [presented], cause)
