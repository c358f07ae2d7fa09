"""What is refused because anybody could call, listen or guess; above all where live."""

import hashlib

import pytest

from tests.unit.settings import kit
from worker.settings import types

LIVE = kit.SOURCE.replace('"test"', '"live"')
AWAY = '[kafka]\nbootstrap_servers = "127.0.0.1:9092,kafka.example.com:9092"\n'
SASL = (
    'sasl_mechanism = "SCRAM-SHA-512"\nsasl_username = "u"\nsasl_password = "a-word"\n'
)


@pytest.mark.parametrize(
    "protocol",
    ["", 'security_protocol = "SASL_PLAINTEXT"\n' + SASL],
    ids=["plain", "sasl"],
)
def test_live_decisions_do_not_travel_in_clear(desk: kit.Desk, protocol: str) -> None:
    """Kafka is trusted with everything: who can write on its way decides."""
    [problem] = desk.problems(AWAY + protocol + LIVE)

    assert problem.startswith("kafka.security_protocol must be SASL_SSL or SSL")
    assert "kafka.example.com:9092" in problem
    assert "127.0.0.1" not in problem
    assert "allow_plaintext = true" in problem


@pytest.mark.parametrize(
    "text",
    [
        AWAY + "allow_plaintext = true\n" + LIVE,
        AWAY + 'security_protocol = "SASL_SSL"\n' + SASL + LIVE,
        AWAY + 'security_protocol = "SSL"\n' + LIVE,
        AWAY + kit.SOURCE,
        '[kafka]\nbootstrap_servers = "localhost:9092,[::1]:9092"\n' + LIVE,
    ],
    ids=["i know", "sasl_ssl", "ssl", "test", "loopback"],
)
def test_where_it_is_safe_or_wanted_it_starts(desk: kit.Desk, text: str) -> None:
    """TLS, this machine, test persons, or a word of the person who configures."""
    assert list(desk.load(text).sources) == ["one"]


@pytest.mark.parametrize(
    ("field", "authenticator", "value", "found"),
    [
        ("callback_api_keys", "body_key", "a", "[0] is too short: generate a new one"),
        ("callback_api_keys", "body_key", "k" * 15, "of at least 16 random bytes"),
        ("basic_credentials", "basic", "a:b", "has a password that is too short"),
        ("basic_credentials", "basic", "a:" + "b" * 15, "at least 16 random bytes"),
    ],
)
def test_what_can_be_guessed_is_refused(
    desk: kit.Desk, field: str, authenticator: str, value: str, found: str
) -> None:
    """Whatever callers prove themselves with has a least length, in test too."""
    table = kit.SOURCE.replace("url_secrets", "#")
    lines = f'authenticate = ["{authenticator}"]\n{field} = ["{value}"]\n'
    [problem] = desk.problems(table + lines)

    assert problem.startswith(f"sources.one.{field}[0]")
    assert found in problem
    longer = lines.replace(f'"{value}"', f'"{value.ljust(18, "x")}"')
    assert desk.load(table + longer).sources


@pytest.mark.parametrize(
    "networks",
    [
        '["0.0.0.0/0"]',
        '["::/0"]',
        '["192.0.2.0/24", "0.0.0.0/1", "128.0.0.0/1"]',
        '["8000::/1", "::/1"]',
    ],
)
def test_every_address_is_no_list(desk: kit.Desk, networks: str) -> None:
    """A list that holds everybody proves nothing, however it is written."""
    [proxies] = desk.problems(f"[ingress]\ntrusted_proxies = {networks}" + kit.SOURCE)
    assert proxies.startswith("ingress.trusted_proxies must not cover every address")
    [allowed] = desk.source_problems(
        f'authenticate = ["signed_url", "ip_allow"]\nip_allow = {networks}'
    )
    assert allowed.startswith("sources.one.ip_allow must not cover every address")


def test_half_of_the_addresses_are_not_all() -> None:
    """Where it stops to be every address is exact."""
    assert not types.everybody([types._network("0.0.0.0/1"), types._network("::/1")])
    assert not types.everybody([])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            LIVE.replace(kit.SECRETS[0], "demo-only-idnow-url-secret-of-32-bytes"),
            "sources.one.url_secrets[0]",
        ),
        (
            '[returns]\nticket_secrets = ["demo-only-ticket-secret-of-32-bytes"]'
            + LIVE,
            "returns.ticket_secrets[0]",
        ),
        (
            "[[api.keys]]\nsources = 'all'\nsha256 = "
            f'"{hashlib.sha256(b"demo-only-api-key").hexdigest()}"' + LIVE,
            "api.keys[0].sha256",
        ),
    ],
)
def test_the_demonstrations_secrets_are_for_it_alone(
    desk: kit.Desk, text: str, key: str
) -> None:
    """What stands in deploy/compose.yaml is known to everybody."""
    [problem] = desk.problems(text)

    assert problem.startswith(f"{key} is")
    assert "the public demo" in problem
    assert desk.load(text.replace('"live"', '"test"')).sources


def test_the_digest_of_nothing_is_no_key(desk: kit.Desk) -> None:
    """It would let in whoever sends a bearer token without a token."""
    digest = hashlib.sha256(b"").hexdigest()
    text = f'[[api.keys]]\nsources = "all"\nsha256 = "{digest}"' + kit.SOURCE
    [problem] = desk.problems(text)

    assert problem.startswith("api.keys[0].sha256 is the digest of an empty key")
