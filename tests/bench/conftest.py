"""What the tests of the benchmark share: their marker and their time limit."""

import pathlib

import pytest

from tests.support import markers

_TIMEOUT_S = 240


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and give it time."""
    markers.on_kafka(items, pathlib.Path(__file__).parent, _TIMEOUT_S)
