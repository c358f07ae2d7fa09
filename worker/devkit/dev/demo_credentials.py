"""Be the company: its key for the api, its page, and what signs its tickets."""

import dataclasses
import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Where the pages of deploy/pages are, if somebody serves them.
ORIGIN = "http://127.0.0.1:8000"


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _signing_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DemoCredentials:
    """The secrets of one run; new each time."""

    api_key: str = dataclasses.field(
        default_factory=lambda: f"kyc_{_secret()}", repr=False
    )
    ticket_secret: str = dataclasses.field(default_factory=_secret, repr=False)
    signing_key: str = dataclasses.field(default_factory=_signing_key, repr=False)

    def tables(self, api_port: int) -> dict[str, dict[str, Any]]:
        """Return the tables ``[api]`` and ``[returns]``."""
        digest = hashlib.sha256(self.api_key.encode()).hexdigest()
        return {
            "api": {
                "port": api_port,
                "keys": [{"sha256": digest, "sources": "all"}],
                "recovery_interval": "5s",
                "shutdown_timeout": "3s",
            },
            "returns": {
                "ticket_secrets": [self.ticket_secret],
                "signing_keys": [self.signing_key],
            },
        }
