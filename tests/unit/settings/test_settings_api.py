"""What the tables of beginning and returning take, and what they refuse."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.unit.settings import kit
from worker.settings import urls

_DIGEST = "0a" * 32
_LONG = "s" * 32


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _api(text: str) -> str:
    return f"[api]\n{text}\n{kit.SOURCE}"


def test_keys_are_read(desk: kit.Desk) -> None:
    """A key may be for some sources or for all; the environment can hold them, too."""
    text = _api(
        f'[[api.keys]]\nsha256 = "{_DIGEST}"\nsources = ["one"]\n'
        f'[[api.keys]]\nsha256 = "{"0b" * 32}"\nsources = "all"'
    )
    one, every = desk.load(text).api.keys
    (from_outside,) = desk.load(
        KYC_API__KEYS=f'[{{ sha256 = "{_DIGEST}", sources = ["one"] }}]'
    ).api.keys

    assert [one.permits("one"), one.permits("two")] == [True, False]
    assert every.permits("two")
    assert one == from_outside


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f'keys = [{{ sha256 = "{_DIGEST.upper()}", sources = "all" }}]',
            "api.keys[0].sha256 must match ^[0-9a-f]{64}$.",
        ),
        (f'keys = [{{ sha256 = "{_DIGEST}" }}]', "api.keys[0].sources"),
        (
            f'keys = [{{ sha256 = "{_DIGEST}", sources = ["two"] }}]',
            (
                "api.keys[0].sources names 'two', which is not a source:"
                " configured are one."
            ),
        ),
        (
            "keys = ["
            + ", ".join([f'{{ sha256 = "{_DIGEST}", sources = "all" }}'] * 2)
            + "]",
            "api.keys[1].sha256 is a duplicate: put all sources of a key",
        ),
        (
            'begin_timeout = "15s"',
            "api.begin_timeout must be more than three times ack_timeout, to",
        ),
        ('idempotency_window = "25h"', "api.idempotency_window must be at most 24h."),
        (
            'unresolved_retention = "23h"',
            "api.unresolved_retention must be at least idempotency_window.",
        ),
    ],
)
def test_an_api_that_cannot_work(desk: kit.Desk, text: str, problem: str) -> None:
    """Each contradiction is a sentence that names its key."""
    [found] = desk.problems(_api(text))

    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        (
            "TICKET_SECRETS",
            f'["{"s" * 31}"]',
            "ticket_secrets[0] is too short: generate a new one of at least 32 random",
        ),
        (
            "TICKET_SECRETS",
            f'["{_LONG}", "{_LONG}"]',
            "ticket_secrets[1] is a duplicate.",
        ),
        (
            "SIGNING_KEYS",
            f"['''{_pem(ec.generate_private_key(ec.SECP384R1()))}''']",
            "signing_keys[0] must be an EC private key on P-256",
        ),
        (
            "SIGNING_KEYS",
            f"['''{_pem(rsa.generate_private_key(65537, 2048))}''']",
            "signing_keys[0] must be an EC private key on P-256",
        ),
        ("SIGNING_KEYS", '["no key"]', "signing_keys[0] must be an EC private key"),
    ],
)
def test_returns_with_weak_keys(
    desk: kit.Desk, variable: str, value: str, problem: str
) -> None:
    """A secret that is short, or a key of another kind, is refused and not told."""
    variable = f"KYC_RETURNS__{variable}"
    [found] = desk.problems(kit.SOURCE, **{variable: value})

    assert found.replace(f" ({variable})", "").startswith(f"returns.{problem}")
    assert _LONG not in found


def test_returns_with_good_keys(desk: kit.Desk) -> None:
    """Secrets and keys that are as they must be are taken."""
    pem = _pem(ec.generate_private_key(ec.SECP256R1()))
    loaded = desk.load(
        KYC_RETURNS__TICKET_SECRETS=f'["{_LONG}", "{_LONG}2"]',
        KYC_RETURNS__SIGNING_KEYS=f"['''{pem}''']",
    )

    assert len(loaded.returns.ticket_secrets) == 2
    assert pem == loaded.returns.signing_keys[0].reveal()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Shop.example.com/back?x=1#y", "https://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        ("https://shop.example.com:8443/", "https://shop.example.com:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_as_browsers_write_it(url: str, origin: str) -> None:
    """Lower case, without path, and without a port that is the scheme's own."""
    assert origin == urls.origin(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "shop.example.com", "//shop.example.com", "javascript:alert(1)"),
        *("http://shop.example.com", "ftp://shop.example.com", "data:text/html,x"),
        *("https://u@shop.example.com", "https://@shop.example.com", "https:///x"),
        *("https://shop.example.com.", "https://shop..com", "https://a%2ecom"),
        *("https://a.com\\@b.com", "https://a.com\n", "https://sh\u043ep.com"),
        "https://a.com:99999",
    ],
)
def test_what_has_no_origin(url: str) -> None:
    """Other schemes, user info and hosts that could be read in two ways are refused."""
    with pytest.raises(ValueError, match="must") as refused:
        urls.origin(url)

    assert not url or url not in str(refused.value)


def test_origins_of_a_source(desk: kit.Desk) -> None:
    """They are origins and no more; a live source's page is not on this machine."""
    loaded = desk.load(kit.SOURCE + 'return_origins = ["https://Shop.example.com"]')
    [path] = desk.source_problems('return_origins = ["https://shop.example.com/x"]')
    live = kit.SOURCE.replace('"test"', '"live"')
    problems = desk.problems(live + 'return_origins = ["http://127.0.0.1:3000"]')

    assert loaded.sources["one"].return_origins == ("https://shop.example.com",)
    assert path.startswith("sources.one.return_origins must contain origins such as")
    assert any(
        found.startswith("sources.one.return_origins[0] is a loopback address")
        for found in problems
    )
