"""What a source's settings become."""

import pytest

from tests.unit.settings import kit
from worker import policy


def test_what_is_configured_reaches_the_ledger() -> None:
    """Every time and count of a source is the ledger's, in milliseconds."""
    source = kit.tiny(
        retry={
            "initial_delay": "1s",
            "factor": 3,
            "max_delay": "2s",
            "give_up_after": "3s",
            "attempts": 4,
        },
        not_ready={
            "initial_delay": "5s",
            "factor": 1.5,
            "max_delay": "6s",
            "attempts": 7,
        },
        recheck_pending=["8s", "9s"],
        recheck_min_interval="10s",
        unconfirmed_grace="11s",
        not_found={"attempts": 12, "within": "13s"},
        quarantine_attempts=14,
        max_callback_age="15s",
        max_clock_skew="17s",
    )

    assert policy.SourcePolicy(
        provider="tiny",
        environment=source.environment,
        fetches=True,
        retry=policy.Backoff(initial_delay_ms=1_000, factor=3.0, max_delay_ms=2_000),
        retry_give_up_after_ms=3_000,
        retry_attempts=4,
        not_ready=policy.Backoff(
            initial_delay_ms=5_000, factor=1.5, max_delay_ms=6_000
        ),
        not_ready_attempts=7,
        recheck_pending_ms=(8_000, 9_000),
        recheck_min_interval_ms=10_000,
        unconfirmed_grace_ms=11_000,
        not_found_attempts=12,
        not_found_within_ms=13_000,
        quarantine_attempts=14,
        max_callback_age_ms=15_000,
        max_clock_skew_ms=17_000,
        session_retention_ms=16_000,
    ) == source.rules(16_000)


def test_the_defaults_are_the_policys_own() -> None:
    """A source that sets nothing behaves as the ledger's own defaults say."""
    source = kit.tiny()

    assert policy.SourcePolicy(
        provider="tiny", environment=source.environment
    ) == source.rules(34_560_000_000)


def test_what_is_said_of_registered_sessions_reaches_the_ledger() -> None:
    """Each setting of registered sessions is one of the ledger's rules."""
    source = kit.tiny(
        registered_sessions_only=True,
        registration_grace="1m",
        session_deadline="7d",
        polling={"initial_delay": "1s", "interval": "2s", "max_attempts": 4},
        overdue={"attempts": 5, "reject": False, "retention": "3d"},
    )
    rules = source.rules(34_560_000_000)

    assert rules.registered_sessions_only
    assert rules.registration_grace_ms == 60_000
    assert rules.session_deadline_ms == 7 * 86_400_000
    assert (
        policy.PollSchedule(initial_delay_ms=1_000, interval_ms=2_000, max_attempts=4)
        == rules.polling
    )
    assert (rules.overdue_attempts, rules.overdue_rejects) == (5, False)
    assert rules.overdue_retention_ms == 3 * 86_400_000


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('session_deadline = "0s"', "session_deadline must be more than 0."),
        ('registration_grace = "0s"', "registration_grace must be more than 0."),
    ],
)
def test_a_time_that_is_no_time_is_refused(
    desk: kit.Desk, line: str, problem: str
) -> None:
    """A deadline that is over at once is a mistake."""
    assert [f"sources.one.{problem}"] == desk.source_problems(line)
