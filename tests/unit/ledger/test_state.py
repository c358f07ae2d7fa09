"""A session with changes: the copy that every turn makes."""

import importlib
from typing import Any

import pytest

from tests.support import inputs
from worker.ledger import state


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mapping_attempts": 3},
        {"due_at": None, "pending_cause": None},
        {"reference": "a", "fetch_seq": 9},
    ],
)
def test_it_is_what_replace_makes(changes: dict[str, Any]) -> None:
    """Every field is there, changed or as it was, and the old session stays."""
    before = inputs.decided(inputs.pending()).state
    kept = before._replace()

    assert before._replace(**changes) == state.changed(before, **changes)
    assert kept == before


def test_a_field_that_is_none_is_refused() -> None:
    """A misspelt name changes nothing silently."""
    with pytest.raises(KeyError):
        state.changed(inputs.decided(inputs.pending()).state, trys=1)


def test_what_may_stay_unwritten_are_fields() -> None:
    """A name that is no field would make every such step a written one."""
    assert (
        set(state.Session._fields)
        >= importlib.import_module("worker.ledger.advance")._FOUND_AGAIN
    )
