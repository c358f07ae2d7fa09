"""Play one fixed seed of chaos on three brokers in every run of the suite."""

import pathlib

import pytest

from tests.chaos import trial

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

# With the start, the settling and the end of all of it this takes some 80 s.
_SEED, _SECONDS = 7, 60.0


async def test_one_seed_breaks_no_promise(tmp_path: pathlib.Path) -> None:
    """Kills, freezes and late requests lose nothing and repeat nothing."""
    report = await trial.play(_SEED, _SECONDS, tmp_path)

    assert report.violations == [], "\n".join(map(str, report.violations))
    assert [] == report.ended  # noqa: SIM300 -- expected first
    assert report.sessions > 250
    assert report.decisions > 250
    assert sum(report.hurt.values()) >= 10
    assert report.retries > 10
    assert report.hurt["late requests delivered"] > 0
