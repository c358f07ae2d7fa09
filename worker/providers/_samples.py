"""Generate the secrets of sample sources."""

import secrets


def secret() -> str:
    """Return a new secret, long enough for every use."""
    return secrets.token_urlsafe(32)
