"""Test that a configuration which does not fit its surroundings is found."""

import pytest
import yaml

from tests.lint import deploy, deploy_configs

COMPOSE = deploy.read("compose.toml")
TRAFFIC = deploy.read("traffic.py")
SECRETS: dict[str, str] = yaml.safe_load(deploy.read("compose.yaml"))["x-secrets"]
EXAMPLE = deploy.read("k8s/secrets.env.example")
BUILD = deploy.read("requirements-build.txt")
LOCKED = (deploy.ROOT / "requirements-dev.txt").read_text()


def test_a_short_secret_is_found() -> None:
    """The demonstration's secrets are as long as any must be."""
    short = {**SECRETS, "IDNOW_URL_SECRET": "short"}

    assert list(deploy_configs.problems(COMPOSE, SECRETS)) == []
    [found] = deploy_configs.problems(COMPOSE, short)
    assert "sources.idnow.url_secrets" in found


def test_an_unknown_key_is_found() -> None:
    """A renamed setting is found before anybody starts it."""
    [found] = deploy_configs.problems(COMPOSE + "\nbase_path = '/'\n", SECRETS)
    assert "base_path" in found


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        (
            "<<: [*callers, *handed-on]",
            "<<: [*handed-on]",
            "ingress lacks the secret IDENTOMAT_CALLBACK_KEY, which it reads",
        ),
        (
            "<<: [*handed-on, *accounts]",
            "<<: [*callers, *handed-on, *accounts]",
            "api has the secret IDENTOMAT_CALLBACK_KEY, which it does not read",
        ),
        (
            "environment: *accounts",
            "environment: *secrets",
            "worker-1 has the secret TICKET_SECRET, which it does not read",
        ),
    ],
)
def test_a_service_with_other_secrets_is_found(
    right: str, wrong: str, found: str
) -> None:
    """Each service of the demonstration has what it reads, and no more."""
    text = deploy.read("compose.yaml")
    services = yaml.safe_load(text)["services"]
    changed = yaml.safe_load(text.replace(right, wrong))["services"]

    assert list(deploy_configs.environments(services, COMPOSE, SECRETS)) == []
    assert found in list(deploy_configs.environments(changed, COMPOSE, SECRETS))


def test_a_source_that_is_played_elsewhere_is_found() -> None:
    """The ports follow the order of the sources."""
    moved = COMPOSE.replace("127.0.0.1:8092", "127.0.0.1:9999")

    assert list(deploy_configs.played(COMPOSE, SECRETS, TRAFFIC)) == []
    assert list(deploy_configs.played(moved, SECRETS, TRAFFIC)) == [
        "sources.idnow.base_url must be http://127.0.0.1:8092"
    ]


def test_a_provider_without_traffic_is_found() -> None:
    """Every source of the demonstration shows something."""
    silent = TRAFFIC.replace('("biometric", 8093)', '("biometric", 8094)')
    assert list(deploy_configs.played(COMPOSE, SECRETS, silent)) == [
        "traffic.py does not play biometric at port 8093"
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        (
            "IDNOW_API_KEY=\n",
            "",
            ["lacks IDNOW_API_KEY, which the configuration names"],
        ),
        (
            "IDNOW_API_KEY=\n",
            "IDNOW_API_KEY=\nOTHER=\n",
            ["lists OTHER, which the configuration does not name"],
        ),
        (
            "IDNOW_API_KEY=\n",
            "IDNOW_API_KEY=secret\n",
            ["holds a value for IDNOW_API_KEY: it must hold none"],
        ),
    ],
)
def test_a_wrong_list_of_secrets_is_found(
    right: str, wrong: str, found: list[str]
) -> None:
    """The list names what the configuration takes, and holds nothing."""
    needed = {line.partition("=")[0] for line in EXAMPLE.splitlines() if line[0] != "#"}

    assert list(deploy_configs.examples(EXAMPLE, needed)) == []
    changed = EXAMPLE.replace(right, wrong)
    assert found == list(deploy_configs.examples(changed, needed))


def test_a_pin_that_differs_is_found() -> None:
    """What builds the image is what the lock file says, hash by hash."""
    other = BUILD.replace("sha256:", "sha256:0", 1)

    assert list(deploy_configs.pins(BUILD, LOCKED)) == []
    [found] = deploy_configs.pins(other, LOCKED)
    assert found.startswith("--hash=sha256:0")
