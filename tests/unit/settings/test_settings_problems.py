"""The sentences that tell what is wrong with one value."""

import pytest

from tests.unit.settings import kit


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('partitions = "x"', "kafka.partitions must be a whole number."),
        ("partitions = 1.5", "kafka.partitions must be a whole number."),
        ("partitions = 10001", "kafka.partitions must be at most 10000."),
        ("client_id = 5", "kafka.client_id must be a text."),
        ('group_id = ""', "kafka.group_id must be at least 1 characters long."),
        (
            'durability = "none"',
            "kafka.durability must be one of 'replicated' or 'single-broker'.",
        ),
    ],
)
def test_pydantics_words_are_not_ours(desk: kit.Desk, text: str, problem: str) -> None:
    """Every kind of wrong value is told as a sentence that says what to write."""
    assert [problem] == desk.problems(f"[kafka]\n{text}")


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ("concurrency = 0", "sources.one.concurrency must be at least 1."),
        ("rate_per_s = 0", "sources.one.rate_per_s must be more than 0.0."),
        ("rate_per_s = []", "sources.one.rate_per_s must be a number."),
        ("retry = 5", "sources.one.retry must be a table."),
        (
            "recheck_pending = []",
            "sources.one.recheck_pending must have at least 1 entries.",
        ),
        (
            "known_sessions_only = 7",
            "sources.one.known_sessions_only must be true or false.",
        ),
        ("lists = 5", 'sources.one.lists must be a list such as ["a", "b"].'),
        ('lists = "a"', 'sources.one.lists must be a list such as ["a", "b"].'),
        (
            'reference_pattern = "(a"',
            (
                "sources.one.reference_pattern must be a regular expression:"
                " missing ), unterminated subpattern at character 0."
            ),
        ),
        (
            'base_url = "http://api.tiny.example"',
            (
                "sources.one.base_url must begin with https://"
                " (http:// only on the loopback)."
            ),
        ),
        (
            'forward_messages_to = "http://sms.example/x"',
            (
                "sources.one.forward_messages_to must begin with https://"
                " (http:// only on the loopback)."
            ),
        ),
    ],
)
def test_a_source_is_checked_by_its_own_table(
    desk: kit.Desk, extra: str, problem: str
) -> None:
    """The keys of sources are told by their whole path."""
    assert [problem] == desk.source_problems(extra)
