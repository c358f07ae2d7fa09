"""Make the ids of begins, so that a repeat has the same one on every replica."""

import hmac
import secrets
from collections.abc import Sequence

_PURPOSE = b"kyc-worker:begin-id:v1"
_BYTES = 16


class BeginIds:
    """
    Makes begin ids of ``Idempotency-Key`` with keys derived from *ticket_secrets*.

    Nobody outside can make one: a begin id may be what a session id is derived from.
    """

    def __init__(self, ticket_secrets: Sequence[bytes]) -> None:
        self._keys = [
            hmac.digest(secret, _PURPOSE, "sha256") for secret in ticket_secrets
        ]

    def of(self, source: str, idempotency_key: str) -> list[str]:
        """Return the id of *idempotency_key*, and those it had by older secrets."""
        told = f"{source}\0{idempotency_key}".encode()
        return [hmac.digest(key, told, "sha256")[:_BYTES].hex() for key in self._keys]

    def random(self) -> str:
        """Return the id of a begin that is never repeated."""
        return secrets.token_hex(_BYTES)
