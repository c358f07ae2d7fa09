"""What every test without a broker has to bear."""

from collections.abc import Iterator

import blockbuster
import pytest


@pytest.fixture(autouse=True)
def _no_blocking() -> Iterator[None]:
    """Fail a test in which our code blocks the event loop."""
    with blockbuster.blockbuster_ctx("worker") as guard:
        # /proc is no disk: reading it takes microseconds.
        for function in guard.functions.values():
            function.can_block_in("prometheus_client/process_collector.py", "collect")
        yield
