"""An installation without the development tools: services work, `dev` says why not."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from worker import cli

_ROOT = Path(__file__).parents[3]
_DEVELOPMENT = {"dev", "simulate"}
#: A process that cannot import the development tools.
_PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "worker.devkit" or name.startswith("worker.devkit."):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from worker import cli
"""
#: Imports the module of each command of the product.
_EVERY = """
import click
for name in sys.argv[1:]:
    assert cli.commands.get_command(click.Context(cli.commands), name), name
"""


def _run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", _PROGRAM + program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_commands_of_the_product_work() -> None:
    """No command but those of development imports a development tool."""
    process = _run(_EVERY, *sorted(set(cli._COMMANDS) - _DEVELOPMENT))

    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("name", sorted(_DEVELOPMENT))
def test_a_development_tool_says_what_to_install(name: str) -> None:
    """One sentence with the extra, and no traceback."""
    process = _run("cli.main()", name)

    assert process.returncode == 1
    assert process.stderr.startswith(f"Error: {name} is a development tool")
    assert "pip install -e '.[dev]'" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.timeout(120)
def test_the_wheel_has_the_schemas_and_no_simulator(tmp_path: Path) -> None:
    """What is installed from it can sign no callback, and is typed."""
    build = "import sys; from hatchling import build; build.build_wheel(sys.argv[1])"
    subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", build, str(tmp_path)], cwd=_ROOT, check=True, timeout=60
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert "worker/py.typed" in names
    assert "worker/schemas/event.v1.schema.json" in names
    assert "worker/app/ingress.py" in names
    assert not [name for name in names if name.startswith("worker/devkit")]
