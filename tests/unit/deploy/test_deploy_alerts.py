"""Test that a wrong alert rule is found."""

import pytest

from tests.lint import deploy, deploy_alerts

PARTITIONS = 24
REAL = deploy.read(deploy.ALERTS)


def test_the_rules_are_good() -> None:
    """Nothing is found in what is delivered."""
    assert list(deploy_alerts.problems(REAL, PARTITIONS)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "result"),
    [
        ('="provider_subscription"', '="provider_subscriptions"', "kind is never"),
        (
            'kind="provider_subscription"',
            'kinds="provider_subscription"',
            "has no label kinds",
        ),
        (
            "KycProviderSubscription",
            "KycProviderSub",
            "alarm provider_subscription: one rule",
        ),
        (
            "KycProviderSubscription",
            "KycQuarantined",
            "KycQuarantined is there 2 times",
        ),
        ("runbook/#provider_subscription", "runbook/#quarantined", "its entry must be"),
        (
            "(kyc_oldest_pending_session_timestamp_seconds > 0)",
            "(kyc_oldest > 0)",
            "as kyc_oldest",
        ),
        (
            "(kyc_oldest_pending_session_timestamp_seconds > 0)",
            "(kyc_oldest_pending_session_timestamp_seconds > 0",
            "PromQL",
        ),
        (
            "kyc_produce_duration_seconds_bucket",
            "kyc_produce_duration_seconds",
            "as kyc_produce",
        ),
        ('job="kyc-worker"', 'job="worker"', "job is never 'worker'"),
        ("sum by (source, cause)", "sum by (source, causes)", "has the label causes"),
        ("$labels.cause }}", "$labels.why }}", "has the label why"),
        ("hanging_transaction", "hung_transaction", "reason is never"),
        (
            "kyc_owned_partitions) < 24",
            "kyc_owned_partitions) < 12",
            "is 24",
        ),
        ("severity: info", "severity: page", "its severity must be"),
        ("        for: 10m", "        for: soon", "is no duration"),
        ("        for: 10m", "        fore: 10m", "unknown keys ['fore']"),
        ("          summary:", "          title:", "its annotations must be"),
        ("a bug.\n", "a bug\n", "its description is no sentence"),
        (
            "    rules:",
            "    limit: 5\n    rules:",
            "['limit', 'name'",
        ),
        ("groups:", "version: 1\ngroups:", "has keys beside groups"),
        ("groups:", "group:", "is no rule file"),
        ("groups:", "groups: [", "is no rule file"),
    ],
)
def test_a_wrong_rule_is_found(right: str, wrong: str, result: str) -> None:
    """One thing is wrong, and a sentence says it."""
    assert right in REAL
    found = "\n".join(deploy_alerts.problems(REAL.replace(right, wrong), PARTITIONS))
    assert result in found


def test_an_alarm_without_a_rule_is_found() -> None:
    """Every kind of alarm needs its own."""
    head, _, rest = REAL.partition("      - alert: KycProviderSubscription\n")
    without = head + rest[rest.index("      - alert: ") :]

    found = list(deploy_alerts.problems(without, PARTITIONS))

    assert found == [
        (
            "alarm provider_subscription: one rule must ask for it,"
            " KycProviderSubscription; there are []"
        )
    ]
