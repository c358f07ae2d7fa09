"""Secrets: in what form they are taken, and by which process they are read."""

import pathlib
from collections.abc import Iterator, Mapping

import pydantic
import pytest

from tests.support import settings_reference
from tests.unit.settings import kit
from worker import errors, providers, settings
from worker.app import api, sources
from worker.clock import SystemClock
from worker.settings import secret, types

ROOT = pathlib.Path(__file__).parents[3]
EXAMPLE = ROOT / "kyc.example.toml"
TYPES = {name: entry.settings_type for name, entry in providers.REGISTRY.items()}
#: What each process reads of the example: Kafka's own password is not in it.
READ = {
    settings.Role.INGRESS: {
        "TICKET_SECRET",
        "IDNOW_URL_SECRET",
        "IDBEYOND_WEBHOOK_SECRET",
        "AIPRISE_SIGNING_KEY",
        "DIDIT_WEBHOOK_SECRET",
        "IDENFY_SIGNING_KEY",
        "IDENTOMAT_URL_SECRET",
        "IDENTOMAT_CALLBACK_KEY",
        "BIOMETRIC_URL_SECRET",
        "JUMIO_URL_SECRET",
        "ONDATO_WEBHOOK_SECRET",
        "ONFIDO_WEBHOOK_TOKEN",
        "PERSONA_WEBHOOK_SECRET",
        "STRIPE_WEBHOOK_SECRET",
        "TRULIOO_WEBHOOK_KEY",
        "VERIFF_SIGNING_KEY",
        "PLAID_SECRET",
        "SHUFTIPRO_SIGNING_KEY",
        "SUMSUB_WEBHOOK_SECRET",
    },
    settings.Role.WORKER: {
        "IDNOW_API_KEY",
        "IDBEYOND_API_KEY",
        "IDENFY_API_KEY",
        "IDENFY_API_SECRET",
        "IDENTOMAT_COMPANY_KEY",
        "BIOMETRIC_FLOW_API_KEY",
        "JUMIO_CLIENT_ID",
        "JUMIO_CLIENT_SECRET",
        "AIPRISE_API_KEY",
        "DIDIT_API_KEY",
        "ONDATO_CLIENT_ID",
        "ONDATO_CLIENT_SECRET",
        "ONFIDO_API_TOKEN",
        "PERSONA_API_KEY",
        "STRIPE_API_KEY",
        "TRULIOO_CLIENT_ID",
        "TRULIOO_CLIENT_SECRET",
        "VERIFF_SHARED_SECRET",
        "PLAID_SECRET",
        "SHUFTIPRO_SECRET_KEY",
        "SUMSUB_APP_TOKEN",
        "SUMSUB_SECRET_KEY",
    },
    settings.Role.API: {
        "TICKET_SECRET",
        "IDNOW_API_KEY",
        "IDNOW_URL_SECRET",
        "IDBEYOND_API_KEY",
        "IDENFY_API_KEY",
        "IDENFY_API_SECRET",
        "IDBEYOND_WEBHOOK_SECRET",
        "IDENTOMAT_COMPANY_KEY",
        "IDENTOMAT_URL_SECRET",
        "BIOMETRIC_FLOW_API_KEY",
        "AIPRISE_API_KEY",
        "DIDIT_API_KEY",
        "ONDATO_CLIENT_ID",
        "ONDATO_CLIENT_SECRET",
        "ONFIDO_API_TOKEN",
        "PERSONA_API_KEY",
        "STRIPE_API_KEY",
        "TRULIOO_CLIENT_ID",
        "TRULIOO_CLIENT_SECRET",
        "VERIFF_SHARED_SECRET",
        "PLAID_SECRET",
        "SHUFTIPRO_SECRET_KEY",
        "SUMSUB_APP_TOKEN",
        "SUMSUB_SECRET_KEY",
        "BIOMETRIC_URL_SECRET",
        "JUMIO_CLIENT_ID",
        "JUMIO_CLIENT_SECRET",
        "JUMIO_URL_SECRET",
    },
    settings.Role.URL: {
        "IDNOW_URL_SECRET",
        "IDENTOMAT_URL_SECRET",
        "BIOMETRIC_URL_SECRET",
        "JUMIO_URL_SECRET",
    },
    settings.Role.OPERATOR: set(),
}


class Given(dict[str, str]):
    """An environment that makes a value up for any name, and knows what was asked."""

    def __missing__(self, name: str) -> str:
        """Make a value up."""
        self[name] = f"made-up-{name}-".ljust(64, "x")
        return self[name]


def _fields() -> Iterator[tuple[str, type[types.Section], str]]:
    """Yield every setting of every table that holds a secret."""
    for name, section in sorted(settings_reference.SECTIONS.items()):
        for key, field in section.model_fields.items():
            if secret.readers(field) is not None:
                yield f"{name}.{key}", section, key


ALL = list(_fields())


def _refusal(section: type[types.Section], key: str, environ: Mapping[str, str]) -> str:
    """Return what is said of the setting *key* where ``env:KEY`` is its value."""
    many = section.model_fields[key].default == ()
    value: object = ["env:KEY"] if many else "env:KEY"
    try:
        section.model_validate({key: value}, context={"environ": environ})
    except pydantic.ValidationError as error:
        return " ".join(one["msg"] for one in error.errors() if one["loc"][0] == key)
    return ""


_WRONG = (
    ("\ufeff" + "k" * 40, "byte order mark"),
    ("k" * 40 + "\n", "line break"),
    ("k" * 40 + "\r\n", "line break"),
    ("k" * 40 + "\u200b", "invisible character"),
    ("k" * 40 + "\udcff", "invisible character"),
    ("k" * 40 + " ", "ends with a space"),
)


@pytest.mark.parametrize(
    ("section", "key"),
    [each[1:] for each in ALL],
    ids=[each[0] for each in ALL],
)
def test_every_secret_is_held_to_the_same_form(
    section: type[types.Section], key: str
) -> None:
    """What an editor or a shell leaves in a secret is told, whoever it belongs to."""
    policy = secret.readers(section.model_fields[key])
    assert policy is not None
    # A key in PEM has lines; what is none is told by a check of its own.
    for value, found in _WRONG[:1] if policy.multiline else _WRONG:
        assert found in _refusal(section, key, {"KEY": value}), repr(value[-2:])


@pytest.mark.parametrize(
    "content", [b"key\n\n", b"key\r", b"key \n", b"\xef\xbb\xbfkey\n", b"k\0y"]
)
def test_every_file_is_held_to_the_same_form(
    tmp_path: pathlib.Path, content: bytes
) -> None:
    """One line break at the end belongs to the file, and nothing else."""
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"line break|byte order mark|space") as caught:
        types.resolve(f"file:{path}", {})
    assert "key" not in str(caught.value).replace(str(path), "")


def test_every_secret_says_who_reads_it() -> None:
    """No setting of the product falls back to "everybody"."""
    policies = {
        name: secret.readers(section.model_fields[key]) for name, section, key in ALL
    }
    assert len(policies) > 20
    assert [
        name for name, policy in policies.items() if policy is secret._EVERYBODY
    ] == []


@pytest.mark.parametrize("role", READ)
def test_a_process_reads_the_secrets_that_it_needs(role: settings.Role) -> None:
    """And no other one: not even whether the others are there is asked."""
    environ = Given()
    settings.load(EXAMPLE, environ, TYPES, role=role, sources_required=True)

    assert READ[role] == set(environ)


def test_a_check_reads_all_secrets() -> None:
    """One command says whether everything is there."""
    environ = Given()
    settings.load(EXAMPLE, environ, TYPES)

    assert set().union(*READ.values()) == set(environ)


@pytest.mark.parametrize("role", [each for each in READ if READ[each]])
def test_what_a_process_needs_it_must_have(role: settings.Role) -> None:
    """A missing secret is told before the start, with its key and its variable."""
    missing = min(READ[role])
    environ = {name: f"{name}-".ljust(64, "x") for name in READ[role] - {missing}}
    with pytest.raises(errors.ConfigurationError, match=missing):
        settings.load(EXAMPLE, environ, TYPES, role=role)


def test_every_adapter_is_built_without_secrets() -> None:
    """The ingress and the commands need what providers say, and none of their keys."""
    loaded = settings.load(EXAMPLE, {}, TYPES, role=settings.Role.OPERATOR)
    clock = SystemClock()
    built = sources.build_sources(loaded, clock)
    begun = api.api_sources(loaded, clock)

    assert set(built) == set(begun) == set(loaded.sources)


def test_a_withheld_secret_cannot_be_read() -> None:
    """It does not turn into an empty one, and it does not show."""
    loaded = settings.load(EXAMPLE, {}, TYPES, role=settings.Role.OPERATOR)
    [held] = loaded.returns.ticket_secrets

    assert (held.withheld, repr(held)) == (True, "***")
    with pytest.raises(RuntimeError, match="does not read this secret"):
        held.reveal()


def test_a_source_that_is_wrong_reads_no_more(desk: kit.Desk) -> None:
    """Where another key is wrong, its secrets are still read by nobody else."""
    desk.path.write_text(
        kit.SOURCE.replace(f'"{kit.SECRETS[0]}"', '"env:A", "env:B"')
        + "\nconcurrency = 0\n"
    )
    environ = Given()
    with pytest.raises(errors.ConfigurationError) as caught:
        settings.load(desk.path, environ, kit.SOURCE_TYPES, role=settings.Role.OPERATOR)

    assert len(caught.value.problems) == 1
    assert set(environ) == set()


@pytest.mark.parametrize("text", ["", "[ingress]\nport = 0\n", "[sources]\n"])
def test_without_a_source_nothing_is_done(desk: kit.Desk, text: str) -> None:
    """An empty file is a mount that failed, and the sentence names the file."""
    desk.path.write_text(text)
    with pytest.raises(errors.ConfigurationError) as caught:
        settings.load(desk.path, {}, kit.SOURCE_TYPES, sources_required=True)

    assert caught.value.problems == [
        f"No source is configured: add one to {desk.path} as a table [sources.NAME]."
    ]


def test_without_a_file_the_sentence_says_how_to_name_one() -> None:
    """Nothing was mounted, and nobody has named a file."""
    with pytest.raises(errors.ConfigurationError) as caught:
        settings.load(None, {}, kit.SOURCE_TYPES, sources_required=True)

    [problem] = caught.value.problems
    assert problem == (
        "No source is configured: no configuration file is given:"
        " use --config or KYC_CONFIG."
    )


def test_a_byte_order_mark_before_the_configuration_is_dropped(desk: kit.Desk) -> None:
    """Editors on Windows write one."""
    desk.path.write_bytes(b"\xef\xbb\xbf" + kit.SOURCE.encode())

    assert list(settings.load(desk.path, {}, kit.SOURCE_TYPES).sources) == ["one"]


def test_a_configuration_in_utf_16_is_named(desk: kit.Desk) -> None:
    """As a redirection in PowerShell writes it."""
    desk.path.write_bytes(kit.SOURCE.encode("utf-16"))
    with pytest.raises(errors.ConfigurationError, match="save it as UTF-8"):
        settings.load(desk.path, {}, kit.SOURCE_TYPES)
