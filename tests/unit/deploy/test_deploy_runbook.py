"""Test that a hole in the runbook is found."""

import pytest

from tests.lint import deploy, deploy_alerts, deploy_runbook

REAL = deploy.read("RUNBOOK.md")
LINKS = {
    rule["alert"]: rule["annotations"]["runbook_url"]
    for rule in deploy_alerts.rules(deploy.read(deploy.ALERTS))
}


def test_the_runbook_is_good() -> None:
    """Nothing is found in what is delivered."""
    assert list(deploy_runbook.problems(REAL, LINKS)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("### subscription\n", "### subscribed\n", "has no entry for KycSubscription"),
        ("### subscription\n", "### subscribed\n", "for the alarm: subscription"),
        ("### subscription\n", "### subscribed\n", "no such alarm: subscribed"),
        ("### subscription\n", "### quarantined\n", "two headings for #quarantined"),
        ("### KycWorkerDown", "### KycWorkersDown", "leads to: KycWorkersDown"),
        ("(#topic_mismatch)", "(#topics)", "links to #topics"),
        ("### Scaling", "### Growing", "links to #scaling"),
        (
            "- **Over**: results come again",
            "- Over: results",
            "account_refused must",
        ),
        ("dlq show ID", "dlq look ID", "there is no command 'look'"),
        ("kyc-worker session SOURCE", "kyc-worker seesion SOURCE", "'seesion'"),
        ("--accept-gap`", "--accept-gaps`", "there is no option --accept-gaps"),
        ("--reason quarantined", "--because quarantined", "no option --because"),
    ],
)
def test_a_hole_is_found(right: str, wrong: str, told: str) -> None:
    """One thing is wrong, and a sentence says it."""
    assert right in REAL
    found = "\n".join(deploy_runbook.problems(REAL.replace(right, wrong), LINKS))
    assert told in found


def test_a_link_to_another_file_is_found() -> None:
    """An alert leads into this runbook."""
    links = {**LINKS, "KycWorkerDown": "README.md#kycworkerdown"}
    assert [
        problem
        for problem in deploy_runbook.problems(REAL, links)
        if "no alert leads" not in problem
    ] == ["has no entry for KycWorkerDown: README.md#kycworkerdown"]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("account_refused", "account_refused"),
        ("KycWorkerDown", "kycworkerdown"),
        ("Backup and disaster", "backup-and-disaster"),
        ("What, then?", "what-then"),
    ],
)
def test_an_anchor_is_what_renderers_make(heading: str, expected: str) -> None:
    """Links work where people read them."""
    assert expected == deploy_runbook.anchor(heading)
