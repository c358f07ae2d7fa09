"""
Sign and verify: HMAC over raw bytes, Standard Webhooks 1.0, signed URLs.

Pure. For any header values and any body ``verify``, ``verify_standard`` and
``verify_token`` return the position of the secret that matched, or raise
errors.AuthenticationError, and nothing else. Bytes are compared, in constant time,
and every secret is tried; an empty secret never matches.
"""

import base64
import binascii
import dataclasses
import hmac
import re
from collections.abc import Sequence
from typing import Literal

from worker import errors

_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
_STANDARD_DIGEST = "sha256"
#: up to here a copy of the body costs less than an HMAC in two steps
_COPIED_BYTES = 32 << 10
_WHSEC = "whsec_"
#: Graphic ASCII without the separator (Standard Webhooks, seen 2026-11-20: neither id
#: nor timestamp may hold a full stop, or one signature fits two messages).
_LEAD = re.compile(r"[!-\-/-~]{1,255}\.[0-9]{1,15}\.")


@dataclasses.dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How a provider writes an HMAC over the raw body into a header."""

    header: str
    digest: Literal["sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    suffix: str = ""


def sign(scheme: SignatureScheme, key: bytes, body: bytes) -> str:
    """
    Return the header value for *body*, hex in lower case.

    Raises ValueError for an empty *key*.
    """
    if not key:
        raise ValueError("an empty key signs nothing")
    mac = hmac.digest(key, body, scheme.digest)
    text = mac.hex() if scheme.encoding == "hex" else base64.b64encode(mac).decode()
    return scheme.prefix + text + scheme.suffix


def verify(
    scheme: SignatureScheme,
    keys: Sequence[bytes],
    presented: Sequence[str],
    body: bytes,
) -> int:
    """
    Return the position of the first key of *keys* that signed *body*.

    *presented* are all values of the scheme's header as received: exactly one is
    accepted, hex in either case. Raises errors.AuthenticationError, nothing else.
    """
    mac, digest = _decode(scheme, _single(presented)), scheme.digest
    found = -1
    for position, key in enumerate(keys):  # every one, whether found already or not
        equal = key and hmac.compare_digest(hmac.digest(key, body, digest), mac)
        if equal and found < 0:
            found = position
    if found < 0:
        raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)
    return found


def require(scheme: SignatureScheme, presented: Sequence[str]) -> None:
    """
    Return if *presented* is one well-formed signature, whatever it signs.

    Raises errors.AuthenticationError, nothing else.
    """
    _decode(scheme, _single(presented))


def _single(
    presented: Sequence[str],
    missing: errors.AuthCause = errors.AuthCause.MISSING_SIGNATURE,
) -> str:
    """Return the one value there is; two could be read differently by two readers."""
    if len(presented) > 1:
        raise errors.AuthenticationError(errors.AuthCause.REPEATED_SIGNATURE)
    if not presented or not presented[0]:
        raise errors.AuthenticationError(missing)
    return presented[0]


def _decode(scheme: SignatureScheme, text: str) -> bytes:
    """Return the digest that *text* spells, of the scheme's exact length."""
    prefix, suffix = scheme.prefix, scheme.suffix
    if prefix or suffix:
        framed = text.startswith(prefix) and text.endswith(suffix)
        if not framed or len(text) < len(prefix) + len(suffix):
            raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
        text = text[len(prefix) : len(text) - len(suffix)]
    try:
        # Unlike bytes.fromhex and a2b_base64 by default, these take no white space.
        mac = (
            binascii.unhexlify(text)
            if scheme.encoding == "hex"
            else binascii.a2b_base64(text, strict_mode=True)
        )
    except ValueError:
        mac = b""
    if len(mac) != _SIZES[scheme.digest]:
        raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
    return mac


def _unbase64(text: str) -> bytes:
    """Return the bytes of padded standard base64 without anything else, or none."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""


def _match(
    expected: Sequence[bytes], presented: Sequence[bytes], cause: errors.AuthCause
) -> int:
    """Return the first position of *expected* that is among *presented*."""
    found = -1
    for position, mac in enumerate(expected):
        for candidate in presented:
            if hmac.compare_digest(mac, candidate) and mac and found < 0:
                found = position
    if found < 0:
        raise errors.AuthenticationError(cause)
    return found


def decode_standard_key(secret: str) -> bytes:
    """
    Return the key that a ``whsec_`` secret holds.

    Raises ValueError where the prefix is missing or the rest is not padded base64.
    """
    if not secret.startswith(_WHSEC):
        raise ValueError("must start with whsec_")
    key = _unbase64(secret[len(_WHSEC) :])
    if not key:
        raise ValueError("must be whsec_ and then base64")
    return key


def sign_standard(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """
    Return ``webhook-signature`` for *body* (Standard Webhooks 1.0, symmetric).

    Raises ValueError for an empty *key* or a message id that would not verify.
    """
    lead = f"{message_id}.{timestamp_s}."
    if not key or not _LEAD.fullmatch(lead):
        raise ValueError("an empty key or an unusable message id")
    mac = _standard_mac(key, lead, body)
    return "v1," + base64.b64encode(mac).decode()


def verify_standard(
    keys: Sequence[bytes],
    *,
    ids: Sequence[str],
    timestamps: Sequence[str],
    signatures: Sequence[str],
    body: bytes,
    now_ms: int,
    tolerance_ms: int,
) -> int:
    """
    Return the position of the key that signed, and check the timestamp both ways.

    *ids*, *timestamps* and *signatures* are all values of ``webhook-id``,
    ``webhook-timestamp`` and ``webhook-signature`` as received; the last may hold
    several signatures, and those of other versions are passed over. The timestamp
    is judged after the signature, so that "stale" is said of authentic ones only.
    Raises errors.AuthenticationError, nothing else.
    """
    lead, macs, timestamp = _standard_head(ids, timestamps, signatures)
    position = _match(
        [_standard_mac(key, lead, body) if key else b"" for key in keys],
        macs,
        errors.AuthCause.WRONG_SIGNATURE,
    )
    age_ms = (now_ms // 1000 - int(timestamp)) * 1000
    if age_ms > tolerance_ms:
        raise errors.AuthenticationError(errors.AuthCause.STALE_TIMESTAMP)
    if -age_ms > tolerance_ms:
        raise errors.AuthenticationError(errors.AuthCause.FUTURE_TIMESTAMP)
    return position


def require_standard(
    *, ids: Sequence[str], timestamps: Sequence[str], signatures: Sequence[str]
) -> None:
    """
    Return if the three headers are well-formed, whatever they sign.

    Raises errors.AuthenticationError, nothing else.
    """
    _standard_head(ids, timestamps, signatures)


def _standard_head(
    ids: Sequence[str], timestamps: Sequence[str], signatures: Sequence[str]
) -> tuple[str, list[bytes], str]:
    """Return what is signed before the body, the signatures, and the timestamp."""
    signature = _single(signatures)
    message_id = _single(ids)
    timestamp = _single(timestamps, errors.AuthCause.MISSING_TIMESTAMP)
    macs = _standard_macs(signature)
    lead = f"{message_id}.{timestamp}."
    if not macs or not _LEAD.fullmatch(lead):
        raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
    return lead, macs, timestamp


def _standard_macs(text: str) -> list[bytes]:
    """Return the well-formed signatures of version 1 in a header value."""
    macs = [_unbase64(entry[3:]) for entry in text.split(" ") if entry[:3] == "v1,"]
    return [mac for mac in macs if len(mac) == _SIZES[_STANDARD_DIGEST]]


def _standard_mac(key: bytes, lead: str, body: bytes) -> bytes:
    """Return the HMAC over id, timestamp and body as the specification joins them."""
    if len(body) <= _COPIED_BYTES:
        return hmac.digest(key, lead.encode() + body, _STANDARD_DIGEST)
    mac = hmac.new(key, lead.encode(), _STANDARD_DIGEST)
    mac.update(body)
    return mac.digest()


def derive_url_token(secret: bytes, environment: str, source: str) -> str:
    """
    Return the last segment of a signed webhook URL.

    It proves knowledge of the URL and no more. Raises ValueError for an empty
    *secret*.
    """
    if not secret:
        raise ValueError("an empty secret signs nothing")
    mac = hmac.digest(secret, f"v1:{environment}:{source}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def verify_token(
    secrets: Sequence[bytes], environment: str, source: str, presented: str | None
) -> int:
    """
    Return the position of the secret that made the token *presented*.

    Compared as text: base64 has several spellings of the same bytes. Raises
    errors.AuthenticationError, nothing else.
    """
    tokens = [
        derive_url_token(key, environment, source) if key else "" for key in secrets
    ]
    return match_token([token.encode() for token in tokens], presented)


def match_token(tokens: Sequence[bytes], presented: str | None) -> int:
    """Return the position of *presented* in *tokens*, which were made at start."""
    if not presented:
        raise errors.AuthenticationError(errors.AuthCause.MISSING_TOKEN)
    return match(
        tokens,
        presented.encode("utf-8", "surrogatepass"),
        errors.AuthCause.WRONG_TOKEN,
    )


def match(secrets: Sequence[bytes], presented: bytes, cause: errors.AuthCause) -> int:
    """
    Return the position of *presented* in *secrets*, compared in constant time.

    Raises errors.AuthenticationError with *cause*, nothing else.
    """
    return _match(secrets, [presented], cause)
