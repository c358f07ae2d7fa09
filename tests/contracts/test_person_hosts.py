"""Where the settings of a source may send people."""

import pathlib
import re

import pytest

from worker import errors, providers, settings
from worker.devkit import simulators

_EXAMPLE = (pathlib.Path(__file__).parents[2] / "kyc.example.toml").read_text()
_TYPES = {name: one.settings_type for name, one in providers.REGISTRY.items()}
_SECRETS = {
    name: f"{name}-a-secret-of-enough-length"
    for name in re.findall(r'^[^#\n]*"env:([A-Z_]+)"', _EXAMPLE, re.MULTILINE)
}
_PLACES = [
    pytest.param(name, setting, id=f"{name}-{setting}")
    for name in sorted(providers.REGISTRY)
    for setting in simulators.find(name).addresses
]


@pytest.mark.parametrize(("name", "setting"), _PLACES)
def test_a_live_source_sends_nobody_to_a_simulator(
    tmp_path: pathlib.Path, name: str, setting: str
) -> None:
    """Each setting that a simulator stands in for is refused in a live source."""
    path = tmp_path / "kyc.toml"
    line = f'provider = "{name}"\n'
    before, after = _EXAMPLE.split(line, 1)
    given = re.compile(rf"^{setting} = .*\n", re.MULTILINE)
    own, *others = after.split("\n[", 1)
    table = given.sub("", own) + f'\n{setting} = "http://127.0.0.1:1"\n'
    path.write_text(before + line + table + "".join(f"[{each}" for each in others))
    with pytest.raises(errors.ConfigurationError) as caught:
        settings.load(path, _SECRETS, _TYPES)

    (problem,) = caught.value.problems
    assert f"{setting} is a test host, but the source is live" in problem
