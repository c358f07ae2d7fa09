"""The keys behind the statements: which are taken, and what is published of them."""

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support import keys
from tests.unit.returns import conftest as kit
from worker import model, returns


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        keys.new_signing_key().replace(b"PRIVATE", b"PUBLIC"),
    ],
)
def test_only_a_key_on_p256_is_taken(pem: bytes) -> None:
    """Everything else is refused at the start, by a sentence."""
    with pytest.raises(ValueError, match="must be an EC private key on P-256"):
        returns.ReturnTokenSigner([pem], issuer=kit.ISSUER, ttl_ms=1)


def test_only_the_public_part_is_published() -> None:
    """No private number is in the document, and every key has an id of its own."""
    pems = [keys.new_signing_key(), keys.new_signing_key()]
    made = returns.ReturnTokenSigner(pems, issuer=kit.ISSUER, ttl_ms=1)
    published = orjson.loads(made.jwks)["keys"]
    assert [{"crv", "kty", "x", "y", "kid", "use", "alg"}] * 2 == [
        set(key) for key in published
    ]
    assert len({key["kid"] for key in published}) == 2
    again = returns.ReturnTokenSigner(pems, issuer=kit.ISSUER, ttl_ms=1)
    assert made.jwks == again.jwks


def test_keys_do_not_show() -> None:
    """A key does not come out by ``repr``."""
    made = returns.ReturnTokenSigner(
        [keys.new_signing_key()], issuer=kit.ISSUER, ttl_ms=1
    )
    assert "PRIVATE" not in repr(vars(made))
    token = made.make(model.SessionKey("a", "b"), "shop", 0)
    assert token is not None
    assert token.count(".") == 2


def test_without_a_key_nothing_is_stated() -> None:
    """A company that checks nothing needs no key."""
    made = returns.ReturnTokenSigner([], issuer=kit.ISSUER, ttl_ms=1)
    assert made.make(model.SessionKey("a", "b"), "shop", 0) is None
    assert orjson.loads(made.jwks) == {"keys": []}
