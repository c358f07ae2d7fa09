"""Sign and verify Standard Webhooks 1.0, symmetric."""

import base64
import dataclasses
import hmac
import re
from collections.abc import Sequence

from worker import errors
from worker.signing import scheme

_DIGEST = "sha256"
_SIZE = 32
#: up to here a copy of the body costs less than an HMAC in two steps
_COPIED_BYTES = 32 << 10
_WHSEC = "whsec_"
#: Graphic ASCII without the separator (Standard Webhooks, seen 2026-11-20: neither id
#: nor timestamp may hold a full stop, or one signature fits two messages).
_LEAD = re.compile(r"[!-\-/-~]{1,255}\.[0-9]{1,15}\.")


@dataclasses.dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """
    ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` over the body.

    The last header may contain several signatures; those of other versions are
    ignored. The timestamp is checked after the signature, so that "stale" is said of
    authentic callbacks only.
    """

    headers: tuple[str, ...] = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def require(self, presented: scheme.Presented) -> None:
        """Return if the headers are well-formed; raises errors.AuthenticationError."""
        self._read(presented)

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
        Return the position of the key that signed, and check the timestamp both ways.

        Raises errors.AuthenticationError, nothing else.
        """
        lead, macs, timestamp = self._read(presented)
        position = scheme.match_any(
            [_mac(key, lead, body) if key else b"" for key in keys],
            macs,
            errors.AuthCause.WRONG_SIGNATURE,
        )
        scheme.check_timestamp(int(timestamp), now_ms=now_ms, tolerance_ms=tolerance_ms)
        return position

    def _read(self, presented: scheme.Presented) -> tuple[str, list[bytes], str]:
        """Return what is signed before the body, the signatures, and the timestamp."""
        id_name, timestamp_name, signature_name = self.headers
        signature = scheme.single(presented(signature_name))
        message_id = scheme.single(presented(id_name))
        timestamp = scheme.single(
            presented(timestamp_name), errors.AuthCause.MISSING_TIMESTAMP
        )
        macs = _macs(signature)
        lead = f"{message_id}.{timestamp}."
        if not macs or not _LEAD.fullmatch(lead):
            raise errors.AuthenticationError(errors.AuthCause.MALFORMED_SIGNATURE)
        return lead, macs, timestamp


#: the only one that is needed
STANDARD_WEBHOOKS = StandardWebhooks()


def decode_standard_key(secret: str) -> bytes:
    """
    Return the key that a ``whsec_`` secret holds.

    Raises ValueError where the prefix is missing or the rest is not padded base64.
    """
    if not secret.startswith(_WHSEC):
        raise ValueError("must start with whsec_")
    key = scheme.unbase64(secret[len(_WHSEC) :])
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
    return "v1," + base64.b64encode(_mac(key, lead, body)).decode()


def _macs(text: str) -> list[bytes]:
    """Return the well-formed signatures of version 1 in a header value."""
    entries = text.split(" ")
    macs = [scheme.unbase64(entry[3:]) for entry in entries if entry[:3] == "v1,"]
    return [mac for mac in macs if len(mac) == _SIZE]


def _mac(key: bytes, lead: str, body: bytes) -> bytes:
    """Return the HMAC over id, timestamp and body as the specification joins them."""
    if len(body) <= _COPIED_BYTES:
        return hmac.digest(key, lead.encode() + body, _DIGEST)
    mac = hmac.new(key, lead.encode(), _DIGEST)
    mac.update(body)
    return mac.digest()
