"""No source can be built that is open, or that checks against nothing."""

import ipaddress
from typing import Any

import pytest
from aiohttp import test_utils

from tests.unit.ingress import support
from worker import ingress, model, signing
from worker.ingress import authenticate
from worker.settings import sources, types

_URL_SECRET = "a secret for urls of 32 bytes..."
_WHSEC = "whsec_c2VjcmV0IG9mIDI0IGJ5dGVzIG9yIG1vcmU="


class _Settings(sources.Source):
    """A provider's settings as its file would have them."""

    provider: str = "fake"
    environment: model.Environment = model.Environment.TEST
    base_url: str = "https://provider.example.com"
    callback_api_keys: tuple[types.Secret, ...] = ()
    otp_messages: str | None = None
    forward_messages_to: str | None = None

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return the provider's own list."""
        return ("signed_url",)


class _Provider:
    """As much of a provider as the ingress touches."""

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """Speak the test provider's words."""
        return support.normalise(callback)


def _build(**settings: Any) -> ingress.IngressSource:  # noqa: ANN401 -- any setting
    return ingress.IngressSource.from_settings(
        "idnow_de",
        _Settings(**settings),
        _Provider(),  # type: ignore[arg-type]  # the ingress fetches nothing
        scheme=support.SCHEME,
        body_key="key",
    )


def test_from_settings() -> None:
    """Every secret arrives in bytes, every URL token ready made."""
    of = _build(
        authenticate=[
            "signed_url", "hmac_body", "standard_webhooks", "body_key", "basic"
        ],
        url_secrets=[_URL_SECRET, _URL_SECRET + "2"],
        hmac_secrets=["häsh"],
        standard_webhook_secrets=[_WHSEC],
        callback_api_keys=["key"],
        basic_credentials=["user:password"],
        max_body_bytes=77,
        otp_messages="discard",
    )  # fmt: skip

    tokens = [
        signing.derive_url_token(secret.encode(), "test", "idnow_de").encode()
        for secret in (_URL_SECRET, _URL_SECRET + "2")
    ]
    assert tuple(tokens) == of.tokens
    assert ("häsh".encode(),) == of.hmac_keys
    assert of.standard_keys == (b"secret of 24 bytes or more",)
    assert of.body_keys == (b"key",)
    assert of.basic_credentials == (b"user:password",)
    assert (of.name, of.provider, of.max_body_bytes) == ("idnow_de", "fake", 77)
    assert (of.otp_messages, of.forward_messages_to) == ("discard", None)


def test_default_authenticators() -> None:
    """A source that lists nothing has its provider's list."""
    assert frozenset({"signed_url"}) == _build(url_secrets=[_URL_SECRET]).authenticators


def test_secrets_stay_out_of_repr() -> None:
    """Printing a source shows none of its secrets and none of its tokens."""
    of = _build(
        url_secrets=[_URL_SECRET], hmac_secrets=["hash"], callback_api_keys=["a key"]
    )

    shown = repr(of)
    for secret in (_URL_SECRET, of.tokens[0].decode(), "hash", "a key"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("authenticators", "changes"),
    [
        ([], {}),
        (["ip_allow"], {}),
        (["ip_allow"], {"networks": (ipaddress.ip_network("192.0.2.0/24"),)}),
        (["hmac_body"], {"hmac_keys": ()}),
        (["hmac_body"], {"scheme": None}),
        (["standard_webhooks"], {}),
        (["signed_url"], {}),
        (["body_key"], {"body_keys": (b"k",)}),
        (["body_key"], {"body_key_field": "key"}),
        (["basic"], {}),
        (["hmac_body", "ip_allow"], {}),
    ],
)
def test_nothing_to_check(authenticators: list[str], changes: dict[str, Any]) -> None:
    """An authenticator without its secrets or rules, or none at all, is refused."""
    with pytest.raises(ValueError, match="signed: "):
        support.source(authenticators=frozenset(authenticators), **changes)


@pytest.mark.parametrize(
    ("authenticators", "expected"),
    [
        ({"basic"}, 'Basic realm="callbacks"'),
        ({"hmac_body"}, 'Signature realm="callbacks"'),
    ],
)
def test_challenge(authenticators: set[str], expected: str) -> None:
    """A 401 says which scheme the endpoint takes."""
    of = support.source(
        authenticators=frozenset(authenticators), basic_credentials=(b"u:p",)
    )

    assert expected == of.challenge


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({"authenticate": ["signed_url"], "url_secrets": [_URL_SECRET]}, set()),
        (
            {"authenticate": ["hmac_body"], "hmac_secrets": ["a"]},
            {support.SCHEME.header.lower()},
        ),
        (
            {"authenticate": ["basic"], "basic_credentials": ["user:password"]},
            {"authorization"},
        ),
        (
            {
                "authenticate": ["standard_webhooks", "ip_allow"],
                "standard_webhook_secrets": [_WHSEC],
                "ip_allow": ["192.0.2.0/24"],
            },
            {
                *("webhook-id", "webhook-timestamp", "webhook-signature"),
                "x-forwarded-for",
            },
        ),
    ],
    ids=["signed_url", "hmac_body", "basic", "standard_webhooks and ip_allow"],
)
def test_only_the_headers_that_are_looked_at_are_taken(
    settings: dict[str, Any], headers: set[str]
) -> None:
    """Every other header, cookies among them, is nobody's business."""
    of = _build(**settings)
    request = test_utils.make_mocked_request(
        "POST",
        "/webhooks/idnow_de",
        headers={name.title(): "x" for name in headers} | {"Cookie": "secret"},
    )

    taken = authenticate.head(request, of, None, 0).headers

    assert set(taken) == {(name, "x") for name in headers}
