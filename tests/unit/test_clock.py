"""Times are written and read to the millisecond, or refused."""

import hypothesis
import pytest
from hypothesis import strategies as st

from worker import clock


@hypothesis.settings(deadline=None)
@hypothesis.given(st.integers(0, clock.LATEST_MS))
def test_a_time_comes_back_as_it_was(at_ms: int) -> None:
    """Every moment from 1970 to 9999 survives writing and reading."""
    assert clock.parse_rfc3339(clock.format_rfc3339(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_255_810_007, "2026-11-21T10:10:10.007Z"),
        (2_172_478_109_582, "2038-11-04T10:08:29.582Z"),
        (clock.LATEST_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(at_ms: int, text: str) -> None:
    """
    The text always has three places and ``Z``, and is read to the millisecond.

    In 2038 there is one that a float second would lose.
    """
    assert clock.format_rfc3339(at_ms) == text
    assert clock.parse_rfc3339(text) == at_ms
    assert clock.parse_rfc3339(text.replace("Z", "+00:00")) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T10:10:10.007Z",
        "2026-11-21T12:10:10.007+02:00",
        "2026-11-21T10:10:10.007999Z",
    ],
)
def test_other_spellings_of_a_time_are_read(text: str) -> None:
    """Offsets are honoured and what is finer than a millisecond is cut off."""
    assert clock.parse_rfc3339(text) == 1_795_255_810_007


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-21T10:10:10.007",
        "2026-13-21T10:10:10.007Z",
        "2026-11-21T25:10:10.007Z",
        "2026-11-21T10:10:10.007Z\n",
        "1969-12-31T23:59:59.999Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999-23:59",
    ],
)
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    """A text that names no moment we could write again raises ValueError."""
    with pytest.raises(ValueError, match=r"."):
        clock.parse_rfc3339(text)


@pytest.mark.parametrize("at_ms", [-1, clock.LATEST_MS + 1, 2**80, -(2**80)])
def test_a_time_that_cannot_be_written_is_a_value_error(at_ms: int) -> None:
    """No moment outside of 1970 to 9999 is written wrongly."""
    with pytest.raises(ValueError, match="outside"):
        clock.format_rfc3339(at_ms)
