"""Renamed settings: an old name is an error that gives the new one."""

import pytest

from tests.support import settings_reference
from tests.unit.settings import kit
from worker.settings import renamed, types


def _fields(table: str) -> list[dict[str, object]]:
    """Return the fields of every table (*table* of each source) that exists."""
    sections = list(settings_reference.SECTIONS.values())
    if not table:
        return [dict(each.model_fields) for each in sections]
    inner = [
        each.model_fields[table] for each in sections if table in each.model_fields
    ]
    types_of = [field.annotation for field in inner]
    return [
        dict(each.model_fields)
        for each in types_of
        if isinstance(each, type) and issubclass(each, types.Section)
    ]


@pytest.mark.parametrize("old", renamed.RENAMED)
def test_the_new_name_exists_and_the_old_one_does_not(old: str) -> None:
    """Every row leads to a setting of the same table."""
    table, _, name = old.rpartition(".")
    found = [fields for fields in _fields(table) if renamed.find(old, fields)]

    assert found, old
    assert all(name not in fields for fields in found)


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ('retry = { first = "1s" }', "retry.first was renamed: use initial_delay."),
        (
            'denied = { answers = 5, over = "15m" }',
            (
                "denied was renamed: use not_found, with attempts for answers and"
                " within for over."
            ),
        ),
        (
            "tolerance_s = 300",
            'tolerance_s was renamed: use tolerance, with a duration such as "300s".',
        ),
        (
            "rate_per_s = 10",
            'rate_per_s was renamed: use rate_limit, with a rate such as "10/s".',
        ),
    ],
)
def test_an_old_name_of_a_source_is_an_error(
    desk: kit.Desk, extra: str, problem: str
) -> None:
    """Its sentence says what to write, also where the value changes."""
    assert [f"sources.one.{problem}"] == desk.source_problems(extra)


def test_an_old_name_of_a_service_is_an_error(desk: kit.Desk) -> None:
    """From the file and from the environment alike."""
    problems = desk.problems(
        '[worker]\ngather_window = "5ms"' + kit.SOURCE,
        KYC_LEDGER__IDENTITY_RETENTION="400d",
    )

    assert problems == [
        "worker.gather_window was renamed: use commit_linger.",
        (
            "ledger.identity_retention (KYC_LEDGER__IDENTITY_RETENTION) was renamed:"
            " use session_retention."
        ),
    ]


def test_an_old_name_in_another_table_is_unknown(desk: kit.Desk) -> None:
    """Only the table that has the new name is meant."""
    [problem] = desk.problems("[kafka]\nmessages = 5" + kit.SOURCE)

    assert "renamed" not in problem
