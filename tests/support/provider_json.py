"""Draw JSON that looks a little like what providers send."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import hypothesis
from hypothesis import strategies as st

_words = st.sampled_from(
    [
        *("approved", "rejected", "SUCCESS", "FINISHED", "CANCELED", "none"),
        *("verification.completed", "flow.end", "one-time-password-request", "LD"),
        *("face_mismatch", "DATA_ID_EXPIRED", "2026-01-01T00:00:00Z", "ihrebank"),
        *("3fa85f64-5717-4562-b3fc-2c963f66afa6", "a" * 40, "\ud800", "\n", ""),
    ]
)
_keys = st.sampled_from(
    [
        *("result", "reject_reason", "value", "sessionId", "session_id", "type"),
        *("session_token", "company_key", "identifications", "esigning", "reason"),
        *("identificationprocess", "transactionnumber", "companyid", "customdata"),
        *("identificationtime", "event", "id", "created", "data", "session_result"),
        *("status", "technologies", "code", "liveness_result", "failure_reason"),
        *("flow_session_result", "decision", "reviewStatus", "timestamp", "metadata"),
        *("verificationSessionId", "sessionId", "detail", "errors", "cause"),
    ]
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words
    | st.text(max_size=8)
)
#: JSON values of any type.
VALUES = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_keys | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
#: JSON objects, often with the key names and words that the tables know.
OBJECTS = st.dictionaries(_keys | st.text(max_size=4), VALUES, max_size=8)


@functools.cache
def objects() -> tuple[dict[str, Any], ...]:
    """
    Return 100 of `OBJECTS`, the same in each call.

    Drawing one takes longer than most tests need for it: all providers share them.
    """
    return _drawn(OBJECTS)


@functools.cache
def values() -> tuple[Any, ...]:
    """Return 100 of `VALUES`, the same in each call."""
    return _drawn(VALUES)


@contextlib.contextmanager
def shown(document: object) -> Iterator[None]:
    """Add *document* to the exception that leaves the block."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"with the document {document!r}")
        raise


def _drawn(strategy: st.SearchStrategy[Any]) -> tuple[Any, ...]:
    """Return what Hypothesis generates, with its mutations, without a failing case."""
    found: list[Any] = []

    @hypothesis.settings(max_examples=100, database=None)
    @hypothesis.given(strategy)
    def collect(document: Any) -> None:  # noqa: ANN401 -- JSON
        found.append(document)

    collect()
    return tuple(found)
