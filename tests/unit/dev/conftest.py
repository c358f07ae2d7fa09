"""What the tests of ``dev`` share: the sample sources, and who plays them."""

import pathlib
from collections.abc import Mapping

import pytest

from worker import settings, simulators
from worker.dev import configuring, sample, stage


@pytest.fixture
def config(tmp_path: pathlib.Path) -> settings.Settings:
    """Return the settings that ``dev`` writes for its sample sources."""
    path = tmp_path / "kyc.toml"
    configuring.Plan(sources=sample.tables(), port=8080).write(path)
    return configuring.load(path, {}, own_sources=False)


@pytest.fixture
def playing(config: settings.Settings) -> Mapping[str, simulators.Simulator]:
    """Return the simulated providers of the sample sources."""
    return stage._players(config)
