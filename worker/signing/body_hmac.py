"""Sign and verify an HMAC over the raw body (id beyond, Identomat, Sumsub, Veriff)."""

import base64
import dataclasses
import hmac
from collections.abc import Sequence
from typing import Literal

from worker import errors
from worker.signing import scheme

_SIZES = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}


@dataclasses.dataclass(frozen=True, slots=True)
class EqualHeader:
    """A header that must have *value*: an account's name, or the digest in use."""

    name: str
    value: str = dataclasses.field(repr=False)
    #: True: it may be absent
    optional: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class BodyHmac:
    """
    HMAC over the raw body in one header.

    *aliases* are other names of that header: one of the names must be present, and
    all that are present must say the same. *equal_headers* are compared beside it.
    """

    header: str
    digest: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    suffix: str = ""
    aliases: tuple[str, ...] = ()
    equal_headers: tuple[EqualHeader, ...] = ()
    _names: tuple[str, ...] = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Write the names of the header in lower case once."""
        names = (self.header.lower(), *(alias.lower() for alias in self.aliases))
        object.__setattr__(self, "_names", names)

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the headers that are read, in lower case."""
        return (*self._names, *(each.name.lower() for each in self.equal_headers))

    def require(self, presented: scheme.Presented) -> None:
        """Return if the headers are well-formed; raises errors.AuthenticationError."""
        self._read(presented)

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
        return self._match(keys, self._read(presented), body)

    def match(self, keys: Sequence[bytes], values: Sequence[str], body: bytes) -> int:
        """
        Return the position of the key, *values* being all values of the header.

        Exactly one value is accepted, hex in either case. Raises
        errors.AuthenticationError, nothing else.
        """
        return self._match(keys, self._decode(scheme.single(values)), body)

    def sign(self, key: bytes, body: bytes) -> str:
        """
        Return the header value for *body*, hex in lower case.

        Raises ValueError for an empty *key*.
        """
        if not key:
            raise ValueError("an empty key signs nothing")
        mac = hmac.digest(key, body, self.digest)
        text = mac.hex() if self.encoding == "hex" else base64.b64encode(mac).decode()
        return self.prefix + text + self.suffix

    def _match(self, keys: Sequence[bytes], mac: bytes, body: bytes) -> int:
        found = -1
        for position, key in enumerate(keys):  # every one, whether found already or not
            equal = key and hmac.compare_digest(
                hmac.digest(key, body, self.digest), mac
            )
            if equal and found < 0:
                found = position
        if found < 0:
            raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
        return found

    def _read(self, presented: scheme.Presented) -> bytes:
        """Return the digest that the headers contain."""
        if not self.aliases and not self.equal_headers:  # the usual case is fast
            return self._decode(scheme.single(presented(self._names[0])))
        for each in self.equal_headers:
            _check_equal(each, presented(each.name.lower()))
        values = [values for name in self._names if (values := presented(name))]
        macs = [self._decode(scheme.single(each)) for each in values or [()]]
        if any(not hmac.compare_digest(mac, macs[0]) for mac in macs):
            raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
        return macs[0]

    def _decode(self, text: str) -> bytes:
        """Return the digest that *text* spells, of the exact length."""
        prefix, suffix = self.prefix, self.suffix
        if prefix or suffix:
            framed = text.startswith(prefix) and text.endswith(suffix)
            if not framed or len(text) < len(prefix) + len(suffix):
                raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
            text = text[len(prefix) : len(text) - len(suffix)]
        mac = scheme.unhex(text) if self.encoding == "hex" else scheme.unbase64(text)
        if len(mac) != _SIZES[self.digest]:
            raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
        return mac


def _check_equal(each: EqualHeader, values: Sequence[str]) -> None:
    if not values and each.optional:
        return
    text = scheme.single(values).encode("utf-8", "surrogatepass")
    scheme.match([each.value.encode()], text, errors.AuthCause.WRONG_SIGNATURE)
