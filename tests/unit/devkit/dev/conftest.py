"""What the tests of ``dev`` share: the sample sources, and who plays them."""

import pathlib
from collections.abc import Mapping

import pytest

from worker import settings
from worker.devkit import simulators
from worker.devkit.dev import config_file, environment, sample_config


@pytest.fixture
def config(tmp_path: pathlib.Path) -> settings.Settings:
    """Return the settings that ``dev`` writes for its sample sources."""
    path = tmp_path / "kyc.toml"
    config_file.Plan(sources=sample_config.tables(), port=8080).write(path)
    return config_file.load(path, {}, own_sources=False)


@pytest.fixture
def playing(config: settings.Settings) -> Mapping[str, simulators.Simulator]:
    """Return the simulated providers of the sample sources."""
    return environment._players(config)
