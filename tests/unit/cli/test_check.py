"""What ``check`` and the services say before anything starts."""

import pathlib

import click.testing
import pytest

from worker import cli, errors

_SOURCE = """
[sources.one]
provider = "biometric"
environment = "test"
flow_api_key = "env:FLOW_API_KEY"
url_secrets = ["env:URL_SECRET"]
"""


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KYC_CONFIG", "FLOW_API_KEY", "URL_SECRET", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def _run(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(cli.commands, arguments)


@pytest.mark.parametrize("command", ["check", "ingress", "worker", "api"])
@pytest.mark.parametrize("mounted", [True, False])
def test_nothing_starts_without_a_source(
    tmp_path: pathlib.Path, command: str, *, mounted: bool
) -> None:
    """A mount that failed is no good configuration: no service answers 404 to all."""
    path = tmp_path / "kyc.toml"
    path.touch()
    text = _run(command, *(["--config", str(path)] if mounted else []))

    assert isinstance(text.exception, errors.ConfigurationError)
    [problem] = text.exception.problems
    assert problem.startswith("No source is configured: ")
    assert (str(path) if mounted else "KYC_CONFIG") in problem


@pytest.mark.parametrize(
    ("process", "variable"), [("ingress", "URL_SECRET"), ("worker", "FLOW_API_KEY")]
)
def test_a_process_is_checked_by_what_it_reads(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    process: str,
    variable: str,
) -> None:
    """In a pod that has its own secrets alone; a whole check wants all of them."""
    path = tmp_path / "kyc.toml"
    path.write_text(_SOURCE)
    monkeypatch.setenv(variable, "k" * 40)
    whole = _run("check", "--config", str(path))
    mine = _run("check", "--config", str(path), "--process", process)

    assert isinstance(whole.exception, errors.ConfigurationError)
    assert (mine.exit_code, mine.output) == (
        0,
        "The configuration is valid; sources: one.\n",
    )
