"""Fixtures of the settings' tests."""

import pathlib

import pytest

from tests.unit.settings import kit


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> kit.Desk:
    """Return a place to write a configuration and load it."""
    return kit.Desk(tmp_path)
