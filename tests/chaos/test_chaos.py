"""Play one fixed seed of chaos on three brokers in every run of the suite."""

import pathlib

import pytest

from tests.chaos import trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_SEED, _SECONDS = 7, 45.0


async def test_one_seed_breaks_no_promise(tmp_path: pathlib.Path) -> None:
    """Kills and freezes of everything lose nothing and repeat nothing."""
    report = await trial.play(_SEED, _SECONDS, tmp_path)

    assert [] == report.violations  # noqa: SIM300 -- expected first
    assert report.sessions > 100
    assert report.decisions >= report.sessions
    assert report.hurt.total() >= 5
