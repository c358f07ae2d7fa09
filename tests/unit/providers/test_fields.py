"""What may go into a record is no longer than the record's schema allows."""

import pytest

from worker.providers import _fields


@pytest.mark.parametrize("value", ["", "x" * 256, "x" * 917_000, None, 1, ["x"]])
def test_a_reference_that_no_record_holds_is_none(value: object) -> None:
    """Also where the source's pattern allows everything."""
    assert _fields.reference(value, r"(?s:.*)") is None


def test_a_reference_of_the_longest_size_is_kept() -> None:
    """255 characters are what the schema has."""
    assert _fields.reference("x" * 255, ".*") == "x" * 255


@pytest.mark.parametrize("value", ["", "a b", "a\n", "\u212a", "x" * 256, None, 1])
def test_what_no_record_has_as_a_session_id_is_none(value: object) -> None:
    """Identomat's pattern is a setting: it may allow more than a record."""
    assert _fields.identifier(value) is None
    assert _fields.identifier("a-1:b") == "a-1:b"
