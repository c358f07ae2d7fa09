"""Test that a hole in the runbook is found."""

import pytest

from tests.lint import deploy, deploy_alerts, deploy_runbook

REAL = deploy.RUNBOOK.read_text()
LINKS = {
    rule["alert"]: rule["annotations"]["runbook_url"]
    for rule in deploy_alerts.rules(deploy.read(deploy.ALERTS))
}


def test_the_runbook_is_good() -> None:
    """Nothing is found in what is delivered."""
    assert list(deploy_runbook.problems(REAL, LINKS)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "result"),
    [
        (
            "### provider_subscription\n",
            "### provider_subscribed\n",
            "has no entry for KycProviderSubscription",
        ),
        (
            "### provider_subscription\n",
            "### provider_subscribed\n",
            "for the alarm: provider_subscription",
        ),
        (
            "### provider_subscription\n",
            "### provider_subscribed\n",
            "no such alarm: provider_subscribed",
        ),
        (
            "### provider_subscription\n",
            "### quarantined\n",
            "two headings for #quarantined",
        ),
        ("### KycWorkerDown", "### KycWorkersDown", "leads to: KycWorkersDown"),
        ("(#topic_mismatch)", "(#topics)", "links to #topics"),
        ("### Scaling", "### Growing", "links to #scaling"),
        (
            "- **Impact**: No session",
            "- Impact: No session",
            "provider_auth_failed must",
        ),
        ("dlq show ID", "dlq look ID", "there is no command 'look'"),
        ("kyc-worker session SOURCE", "kyc-worker seesion SOURCE", "'seesion'"),
        (
            "--skip-lost-events`",
            "--skip-lost-event`",
            "there is no option --skip-lost-event",
        ),
        ("--reason quarantined", "--because quarantined", "no option --because"),
    ],
)
def test_a_hole_is_found(right: str, wrong: str, result: str) -> None:
    """One thing is wrong, and a sentence says it."""
    assert right in REAL
    found = "\n".join(deploy_runbook.problems(REAL.replace(right, wrong), LINKS))
    assert result in found


@pytest.mark.parametrize(
    "link",
    [
        "runbook.md#kycworkerdown",
        "operations/runbook/#kycworkerdown",
        "http://docs.example.com/operations/runbook/#kycworkerdown",
        "https://docs.example.com/kyc-worker/#kycworkerdown",
    ],
)
def test_a_relative_or_other_address_is_found(link: str) -> None:
    """Alertmanager shows the address as it is: only an absolute one can be opened."""
    links = {**LINKS, "KycWorkerDown": link}
    found = list(deploy_runbook.problems(REAL, links))
    assert f"is not where KycWorkerDown leads, which must be absolute: {link}" in found


def test_a_second_address_is_found() -> None:
    """One replacement configures the addresses of all alerts."""
    second = "https://a.test/operations/runbook/#kycworkerdown"
    links = {**LINKS, "KycWorkerDown": second}
    [found] = deploy_runbook.problems(REAL, links)
    assert found.startswith("has more than one address: ['https://a.test/")


def test_the_address_is_configurable() -> None:
    """A company publishes the site under its own host and path."""
    base = "https://wiki.company.test/kyc/operations/runbook/"
    links = {name: base + "#" + link.partition("#")[2] for name, link in LINKS.items()}
    assert list(deploy_runbook.problems(REAL, links)) == []


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("provider_auth_failed", "provider_auth_failed"),
        ("KycWorkerDown", "kycworkerdown"),
        ("Backup and disaster", "backup-and-disaster"),
        ("What, then?", "what-then"),
    ],
)
def test_an_anchor_is_what_renderers_make(heading: str, expected: str) -> None:
    """Links work where people read them."""
    assert expected == deploy_runbook.anchor(heading)
