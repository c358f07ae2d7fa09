"""The sentences that tell what is wrong."""

import pytest

from tests.unit.settings import kit
from worker import errors


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('partitions = "x"', "kafka.partitions must be a whole number."),
        ("partitions = 1.5", "kafka.partitions must be a whole number."),
        ("partitions = 10001", "kafka.partitions must be at most 10000."),
        ("client_id = 5", "kafka.client_id must be a string."),
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
        ('rate_limit = "0/s"', "sources.one.rate_limit must be more than 0/s."),
        (
            "rate_limit = 10",
            (
                "sources.one.rate_limit must be a rate such as"
                ' "10/s", "300/m" or "5000/h".'
            ),
        ),
        (
            'tolerance = "3d"',
            'sources.one.tolerance must be from "1s" to "2d".',
        ),
        ("retry = 5", "sources.one.retry must be a table."),
        (
            "recheck_pending = []",
            "sources.one.recheck_pending must have at least 1 entries.",
        ),
        (
            "strict = 7",
            "sources.one.strict must be true or false.",
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


def test_all_problems_are_told_at_once(desk: kit.Desk) -> None:
    """Wrong types, unknown keys, missing secrets, weak ones and conflicts together."""
    problems = desk.problems(
        """
[kafka]
partitions = "x"
replication_factor = 1
[ingress]
port = 70000
[sources.one]
provider = "tiny"
environment = "staging"
api_key = "env:NOT_SET"
url_secrets = ["short"]
ip_allow = ["10.0.0.1/8"]
methods = ["GET"]
retry = { inital_delay = "1s" }
[sources.two]
provider = "large"
"""
    )

    assert problems == [
        "kafka.partitions must be a whole number.",
        (
            "kafka.replication_factor must be at least 3,"
            ' or set durability = "single-broker".'
        ),
        "ingress.port must be at most 65535.",
        "sources.one.environment must be one of 'test' or 'live'.",
        (
            "sources.one.ip_allow[0] must be a network such as 192.0.2.0/24"
            " or 2001:db8::/32."
        ),
        (
            "sources.one.retry.inital_delay is not a setting:"
            " use initial_delay, or remove it."
        ),
        (
            "sources.one.api_key names the environment variable NOT_SET,"
            " which is not set: set it or correct the name."
        ),
        (
            "sources.one.url_secrets[0] is too short:"
            " generate a new one of at least 32 random bytes."
        ),
        (
            "sources.one.session_id_query is missing: with GET in methods,"
            " name the query parameter that contains the session id."
        ),
        "sources.two.provider must be one of tiny.",
    ]


def test_the_message_holds_every_problem(desk: kit.Desk) -> None:
    """One exception, one line a problem."""
    with pytest.raises(errors.ConfigurationError) as caught:
        desk.load("[kafka]\npartitions = 0\nfoo = 1")

    assert "\n".join(caught.value.problems) == str(caught.value)
    assert len(caught.value.problems) == 2


def test_a_missing_key_is_told(desk: kit.Desk) -> None:
    """What a source cannot do without is named."""
    problems = desk.problems("[sources.one]\nprovider = 'tiny'")

    assert problems == [
        "sources.one.environment is missing: set it.",
        "sources.one.api_key is missing: set it.",
        (
            "sources.one.url_secrets is empty:"
            " the authenticator signed_url needs at least one entry."
        ),
    ]
