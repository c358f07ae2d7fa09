"""Mark the tests of a folder that need Kafka, and give them the time they take."""

import pathlib

import pytest


def on_kafka(items: list[pytest.Item], folder: pathlib.Path, timeout_s: int) -> None:
    """Mark every one of *items* in *folder*; its own time limit stays."""
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.kafka)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(timeout_s))
