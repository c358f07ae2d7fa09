"""A provider is its package, simulator, vectors and one registry line: the proof."""

import pathlib
import subprocess
import sys

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_SUITES = (
    "tests/contracts/test_providers.py",
    "tests/contracts/test_provider_callbacks.py",
    "tests/contracts/test_begins.py",
    "tests/unit/devkit/dev/test_cases.py",
    "tests/unit/devkit/dev/test_traffic.py",
    "tests/unit/devkit/dev/test_config_file.py",
)


@pytest.mark.timeout(300)
def test_a_made_up_provider_passes_the_shared_suites() -> None:
    """With Acme in the registry, the suites run over it and all of them pass."""
    arguments = ["-p", "tests.support.providers.acme.plugin", "-p", "no:cacheprovider"]
    ran = subprocess.run(  # noqa: S603 -- our own interpreter and tests
        [sys.executable, "-m", "pytest", *arguments, "-q", "-k", "acme", *_SUITES],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout
