"""What is written as TOML is read as it was."""

import datetime as dt
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.devkit.dev import toml

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_PLAIN = _TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
_TABLE = st.dictionaries(_TEXT, _PLAIN, min_size=1, max_size=2).flatmap(
    lambda plain: st.dictionaries(_TEXT, _VALUES, max_size=3).map(
        lambda rest: {**rest, **plain}
    )
)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(_TEXT, _TABLE, max_size=3),
    st.dictionaries(_TEXT, _TABLE, max_size=3),
)
def test_a_document_is_read_as_it_was_written(
    tables: dict[str, dict[str, object]], sources: dict[str, dict[str, object]]
) -> None:
    """Any key and any value survives, control characters and all."""
    document = {**tables, **({"of sources": sources} if sources else {})}
    assert document == tomllib.loads(toml.dumps(document))


def test_a_date_is_read_as_it_was_written() -> None:
    """What the configuration refuses is still refused for what it is."""
    document = {"table": {"day": dt.date(2026, 11, 20)}}
    assert document == tomllib.loads(toml.dumps(document))
