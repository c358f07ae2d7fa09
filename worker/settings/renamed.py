"""List renamed settings, so that the error for an old name gives the new one."""

from collections.abc import Mapping

#: The new name by the old one, with the table inside a source; after a comma, what else
#: changes. An old name is an error, never an alias: the file must say what applies.
RENAMED: Mapping[str, str] = {
    # of the worker, the ledger and the api
    "gather_window": "commit_linger",
    "membership_timeout": "assignment_check_timeout",
    "progress_timeout": "watchdog_timeout",
    "identity_retention": "session_retention",
    "recover_interval": "recovery_interval",
    # of a source
    "tolerance_s": 'tolerance, with a duration such as "300s"',
    "rate_per_s": 'rate_limit, with a rate such as "10/s"',
    "known_sessions_only": "registered_sessions_only",
    "unknown_grace": "registration_grace",
    "denied": "not_found, with attempts for answers and within for over",
    "polling.first": "initial_delay",
    "polling.every": "interval",
    "polling.times": "max_attempts",
    "retry.first": "initial_delay",
    "retry.max": "max_delay",
    "retry.horizon": "give_up_after",
    "not_ready.first": "initial_delay",
    "not_ready.max": "max_delay",
    "overdue.kept": "retention",
    "circuit.failures": "failure_threshold",
    "circuit.open": "open_for",
    "go_url": "start_url",
    "messages": "otp_messages",
}


def find(path: str, known: Mapping[str, object]) -> str | None:
    """Return what to use for the setting *path*, if *known* has its new name."""
    new = RENAMED.get(path, "")
    return new if new.partition(",")[0] in known else None
