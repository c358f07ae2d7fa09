"""Make keys for statements, and check these as a company's page would."""

from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def new_signing_key() -> bytes:
    """Return a new EC private key on P-256, in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def checked(
    statement: str, jwks: dict[str, Any], *, audience: str, issuer: str
) -> dict[str, Any]:
    """Return the claims of *statement*; raises jwt.InvalidTokenError."""
    key = jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(statement)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        statement,
        key,
        algorithms=["ES256"],
        audience=audience,
        issuer=issuer,
        # The clock is another process's, or none at all.
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims
