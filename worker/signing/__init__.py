"""
Sign and verify callbacks; pure. Each family of signatures is a SignatureScheme.

For any header values and any body ``verify`` returns the position of the secret that
matched, or raises errors.AuthenticationError, and nothing else. Bytes are compared, in
constant time, and every secret is tried; an empty secret never matches.
"""

from worker.signing.body_hmac import BodyHmac, EqualHeader
from worker.signing.body_jws import BodyJws, public_key
from worker.signing.body_time import BodyTimeHmac
from worker.signing.scheme import KeySource, Presented, SignatureScheme, match
from worker.signing.standard import (
    STANDARD_WEBHOOKS,
    StandardWebhooks,
    decode_standard_key,
    sign_standard,
)
from worker.signing.suffix_digest import SuffixDigest
from worker.signing.timestamped import TimestampedHmac
from worker.signing.url_token import derive_url_token, match_token, verify_token

__all__ = [
    "STANDARD_WEBHOOKS",
    "BodyHmac",
    "BodyJws",
    "BodyTimeHmac",
    "EqualHeader",
    "KeySource",
    "Presented",
    "SignatureScheme",
    "StandardWebhooks",
    "SuffixDigest",
    "TimestampedHmac",
    "decode_standard_key",
    "derive_url_token",
    "match",
    "match_token",
    "public_key",
    "sign_standard",
    "verify_token",
]
