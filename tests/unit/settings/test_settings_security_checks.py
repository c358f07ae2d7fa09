"""What may not start: sources that anybody could call, test mixed with live."""

import base64
from collections.abc import Mapping

import pytest

from tests.unit.settings import kit
from worker import errors, settings
from worker.settings import security_checks, sources

_COPIED = "is copied from public documentation: generate a new one"
WHSEC = "whsec_" + base64.b64encode(b"k" * 24).decode()


def problems_of(
    tables: Mapping[str, Mapping[str, object]],
    source_type: type[sources.Source] = kit.Tiny,
    documented: frozenset[str] = frozenset(),
) -> list[str]:
    """Return the conflicts of each source of *tables*, without the rest of loading."""
    views = {
        name: security_checks.UncheckedSource(
            security_checks.build_unchecked(source_type, table), {}
        )
        for name, table in tables.items()
    }
    return [
        f"{conflict.keys[0]} {conflict.text}"
        for view in views.values()
        for conflict in security_checks.conflicts(view, documented)
    ]


def test_a_sound_source_has_no_conflict() -> None:
    """The sample that the other tests change is sound."""
    assert problems_of({"one": {"url_secrets": [kit.SECRETS[0]]}}) == []


@pytest.mark.parametrize(
    ("authenticator", "key"),
    [
        ("hmac_body", "hmac_secrets"),
        ("standard_webhooks", "standard_webhook_secrets"),
        ("signed_url", "url_secrets"),
        ("body_key", "callback_api_keys"),
        ("basic", "basic_credentials"),
    ],
)
def test_every_authenticator_needs_its_secret(
    desk: kit.Desk, authenticator: str, key: str
) -> None:
    """No source starts with an authenticator that has nothing to compare with."""
    problems = desk.problems(
        kit.SOURCE.replace(f'["{kit.SECRETS[0]}"]', "[]")
        + f'authenticate = ["{authenticator}"]'
    )

    assert [
        (
            f"sources.one.{key} is empty:"
            f" the authenticator {authenticator} needs at least one entry."
        )
    ] == problems


def test_an_address_alone_proves_too_little(desk: kit.Desk) -> None:
    """``ip_allow`` needs a companion."""
    text = kit.SOURCE.replace(f'["{kit.SECRETS[0]}"]', "[]")

    problems = desk.problems(
        text + 'authenticate = ["ip_allow"]\nip_allow = ["192.0.2.0/24"]'
    )

    assert problems == [
        (
            "sources.one.authenticate must not be ip_allow alone:"
            " add another authenticator."
        )
    ]


def test_an_address_beside_a_secret_is_welcome(desk: kit.Desk) -> None:
    """Together they are a valid list."""
    loaded = desk.load(
        kit.SOURCE
        + 'authenticate = ["signed_url", "ip_allow"]\nip_allow = ["192.0.2.0/24"]'
    )

    assert loaded.sources["one"].authenticators == ("signed_url", "ip_allow")


def test_an_empty_list_means_the_providers_own(desk: kit.Desk) -> None:
    """There is no way to write "none"."""
    loaded = desk.load(kit.SOURCE + "authenticate = []")

    assert loaded.sources["one"].authenticators == ("signed_url",)


def test_none_is_no_authenticator(desk: kit.Desk) -> None:
    """The set is closed."""
    (problem,) = desk.source_problems('authenticate = ["none"]')

    assert problem.startswith("sources.one.authenticate[0] must be one of 'hmac_body'")


@pytest.mark.parametrize(
    "line",
    ['ip_allow = ["192.0.2.0/24"]', 'basic_credentials = ["user:a-longer-password"]'],
)
def test_what_nobody_checks_is_a_problem(desk: kit.Desk, line: str) -> None:
    """Networks that are written down and not enforced would be a false comfort."""
    (problem,) = desk.source_problems(line)

    key = line.partition(" ")[0]
    assert problem.startswith(f"sources.one.{key} is set, but authenticate does not")


@pytest.mark.parametrize(
    ("source_type", "field", "secret", "least"),
    [
        (kit.Tiny, "url_secrets", "x" * 31, 32),
        (kit.Tiny, "hmac_secrets", "x" * 31, 32),
        (kit.Short, "hmac_secrets", "x" * 15, 16),
        (
            kit.Tiny,
            "standard_webhook_secrets",
            "whsec_" + base64.b64encode(b"x" * 23).decode(),
            24,
        ),
    ],
)
def test_a_short_secret_is_refused(
    source_type: type[sources.Source], field: str, secret: str, least: int
) -> None:
    """Each list has its bound, told without the secret."""
    found = [
        problem
        for problem in problems_of({"one": {field: ["y" * 40, secret]}}, source_type)
        if problem.startswith(f"{field}[1]")
    ]

    assert len(found) == 1
    assert f"at least {least} random bytes" in found[0]
    assert secret not in found[0]


@pytest.mark.parametrize(
    ("source_type", "field", "secret"),
    [
        (kit.Tiny, "url_secrets", "x" * 32),
        (kit.Tiny, "url_secrets", "ü" * 16),
        (kit.Tiny, "hmac_secrets", "x" * 32),
        (kit.Short, "hmac_secrets", "x" * 16),
        (kit.Tiny, "standard_webhook_secrets", WHSEC),
        (kit.Tiny, "callback_api_keys", "x" * 16),
    ],
)
def test_a_secret_of_the_least_length_is_taken(
    source_type: type[sources.Source], field: str, secret: str
) -> None:
    """The bound counts bytes, after base64 only for ``whsec_``."""
    found = problems_of({"one": {field: [secret]}}, source_type)

    assert [problem for problem in found if problem.startswith(f"{field}[")] == []


@pytest.mark.parametrize("secret", ["k" * 40, "whsec_***", "whsec_"])
def test_a_standard_webhook_secret_has_its_form(secret: str) -> None:
    """Without prefix or base64 the key would be another than the sender's."""
    found = problems_of({"one": {"standard_webhook_secrets": [secret]}})

    assert "standard_webhook_secrets[0] must be whsec_ followed by base64" in found


def test_an_empty_key_is_refused(desk: kit.Desk) -> None:
    """An empty ``callbackApiKey`` would be anybody's."""
    problems = desk.source_problems(
        'authenticate = ["signed_url", "body_key"]\ncallback_api_keys = [""]'
    )

    assert problems == ["sources.one.callback_api_keys[0] is empty: give it a value."]


@pytest.mark.parametrize(
    ("field", "secret"),
    [
        ("hmac_secrets", "change-me-min-16-chars-random"),
        ("hmac_secrets", "test-webhook-shared-secret-1234"),
        ("callback_api_keys", "callback-api-key-123"),
        ("callback_api_keys", "apikey123"),
        ("standard_webhook_secrets", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ],
)
def test_a_secret_from_the_documentation_is_refused(field: str, secret: str) -> None:
    """What a guide prints is public."""
    found = problems_of({"one": {field: [secret]}}, kit.Short, kit.DOCUMENTED)
    assert f"{field}[0] {_COPIED}" in found
    assert not any(secret in problem for problem in found)


def test_a_provider_names_its_own_documented_secrets(desk: kit.Desk) -> None:
    """What an adapter knows to be printed is refused as well."""
    desk.path.write_text(kit.SOURCE)

    with pytest.raises(errors.ConfigurationError, match="copied from public"):
        settings.load(
            desk.path, {}, kit.SOURCE_TYPES, documentation_secrets={kit.SECRETS[0]}
        )


def test_two_sources_share_no_secret(desk: kit.Desk) -> None:
    """A leak at one provider must not open the other, whatever list it stands in."""
    twin = kit.SOURCE.replace("sources.one", "sources.two").replace(
        "url_secrets", "callback_api_keys"
    )
    problems = desk.problems(
        kit.SOURCE + twin + 'authenticate = ["body_key"]',
        KYC_SOURCES__ONE__URL_SECRETS=f'["{kit.SECRETS[1]}", "env:SHARED"]',
        SHARED=kit.SECRETS[0],
    )

    assert problems == [
        (
            "sources.one.url_secrets[1] (KYC_SOURCES__ONE__URL_SECRETS)"
            " is the same secret as sources.two.callback_api_keys[0]:"
            " use a different one for every source."
        )
    ]


def test_our_own_credentials_may_be_shared(desk: kit.Desk) -> None:
    """Two flows of one company have one key at the provider."""
    twin = kit.SOURCE.replace("one", "two").replace(kit.SECRETS[0], kit.SECRETS[1])

    assert list(desk.load(kit.SOURCE + twin).sources) == ["one", "two"]


@pytest.mark.parametrize("text", ["user", "user:", ":password", ":"])
def test_a_basic_credential_has_two_parts(text: str) -> None:
    """A password that is empty is none."""
    found = problems_of({"one": {"basic_credentials": [text]}})

    assert 'basic_credentials[0] must be "user:password"' in found


@pytest.mark.parametrize("key", ["sk_test_1", "pk_test_1"])
def test_a_live_source_takes_no_test_key(desk: kit.Desk, key: str) -> None:
    """A key that says test is not what reads live results."""
    text = kit.SOURCE.replace("the key", key)

    (problem,) = desk.problems(text.replace('"test"', '"live"'))

    assert problem.startswith("sources.one.api_key is a test key")
    assert key not in problem
    assert desk.load(text).sources


@pytest.mark.parametrize("key", ["pk_live_1", "sk_live_1", "live", "pk_", "0"])
def test_what_a_live_key_looks_like_is_not_guessed(desk: kit.Desk, key: str) -> None:
    """A vendor's documents disagree about it, and other hosts have other keys."""
    text = kit.SOURCE.replace("the key", key)

    assert desk.load(text.replace('"test"', '"live"')).sources


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.test.idnow.de",
        "https://sandbox.tiny.example",
        "http://127.0.0.1:9000",
        "https://localhost",
    ],
)
def test_a_live_source_calls_no_test_host(desk: kit.Desk, url: str) -> None:
    """A live person is not looked up where test persons are."""
    text = kit.SOURCE + f'base_url = "{url}"'

    (problem,) = desk.problems(text.replace('"test"', '"live"'))

    assert "sources.one.base_url is a test host, but the source is live" in problem
    assert desk.load(text).sources


def test_a_live_source_starts(desk: kit.Desk) -> None:
    """Live hosts and keys are fine, "latest" and "contest" in a name too."""
    text = kit.SOURCE + 'base_url = "https://latest.contest.example"'
    loaded = desk.load(text.replace('"test"', '"live"'))

    assert loaded.sources["one"].environment == "live"


def test_get_needs_to_know_where_the_session_is(desk: kit.Desk) -> None:
    """A GET has no body: the query parameter must be named."""
    methods = 'methods = ["POST", "GET"]\n'
    (problem,) = desk.source_problems(methods)

    assert problem.startswith("sources.one.session_id_query is missing")
    assert desk.load(kit.SOURCE + methods + 'session_id_query = "id"').sources
