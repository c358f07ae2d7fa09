"""Derive and verify the secret last segment of a webhook URL."""

import base64
import hmac
from collections.abc import Sequence

from worker import errors
from worker.signing import scheme


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
    return scheme.match(
        tokens,
        presented.encode("utf-8", "surrogatepass"),
        errors.AuthCause.WRONG_TOKEN,
    )
