"""What the soak test needs beside the broker: its size."""

import pytest


@pytest.fixture
def callbacks_wanted(request: pytest.FixtureRequest) -> int:
    """Return how many callbacks are sent: few in the suite, 20,000 in full."""
    return 20_000 if request.config.getoption("--soak-full") else 1_500
