"""What the tests of the benchmark share: their marker and their time limit."""

import pathlib

import pytest

_HERE = pathlib.Path(__file__).parent
_TIMEOUT_S = 240


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and give it time."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.kafka)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_TIMEOUT_S))
