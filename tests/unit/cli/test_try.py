"""``try``: what a callback of each provider would become, and why one is refused."""

import json
import pathlib
import tomllib
import urllib.parse
from typing import Any

import click.testing
import orjson
import pytest
import tomli_w

from worker import cli, providers
from worker.devkit import simulators
from worker.providers.onfido import adapter as onfido

_VECTORS = pathlib.Path(__file__).parents[2] / "vectors"
#: Plaid's key is fetched from its host.
_NAMES = sorted(name for name in providers.REGISTRY if name != "plaid")


class Desk:
    """One configured source, and its provider's simulator."""

    def __init__(self, name: str, folder: pathlib.Path, **changes: object) -> None:
        entry = providers.REGISTRY[name]
        table = entry.sample_sources()[name] | {"environment": "test"} | changes
        self.folder, self.name = folder, name
        self.config = folder / "kyc.toml"
        self.config.write_text(tomli_w.dumps({"sources": {name: table}}))
        account = simulators.Account(
            source=name, settings=entry.settings_type.model_validate(table)
        )
        self.simulator = simulators.find(name).build(account)

    def callback(self, **scenario: Any) -> tuple[str, list[str]]:  # noqa: ANN401 -- of any field
        """Return the id of a new session, and the options for its last callback."""
        session_id = self.simulator.add(simulators.Scenario(**scenario))
        sent = self.simulator.callbacks(session_id)[-1]
        parts = urllib.parse.urlsplit(sent.path)
        options = ["--path", parts.path, "--query", parts.query]
        for name, value in sent.headers.items():
            options += ["--header", f"{name}: {value}"]
        if sent.body:
            options += ["--body", self.file(sent.body)]
        return session_id, options

    def file(self, content: bytes) -> str:
        """Return the path of a file with *content*."""
        path = self.folder / "content"
        path.write_bytes(content)
        return str(path)

    def run(self, *options: str) -> click.testing.Result:
        """Run the command."""
        arguments = ["try", self.name, "--config", str(self.config), *options]
        return click.testing.CliRunner().invoke(cli.commands, arguments)


@pytest.mark.parametrize("name", _NAMES)
def test_a_callback_of_each_provider_is_accepted(
    name: str, tmp_path: pathlib.Path
) -> None:
    """The simulated provider's own callback names its session; exit 0."""
    desk = Desk(name, tmp_path)
    session_id, options = desk.callback()

    found = desk.run(*options, "--output", "json")

    assert found.exit_code == 0, found.output
    shown = json.loads(found.stdout)
    assert shown["result"] == "accepted"
    assert shown["becomes"] == "an event"
    assert shown["session"].lower() == session_id.lower()
    assert shown["authenticated_by"]


@pytest.mark.parametrize("name", _NAMES)
def test_a_forged_callback_of_each_provider_is_refused(
    name: str, tmp_path: pathlib.Path
) -> None:
    """Exit 1, one sentence, and nothing of the callback."""
    desk = Desk(name, tmp_path)
    session_id, options = desk.callback(bad_signature=True)

    found = desk.run(*options)

    assert found.exit_code == 1
    result, because = found.stdout.splitlines()
    assert result.split(maxsplit=1) == ["result", "not authentic"]
    assert because.startswith("because")
    assert session_id not in found.output


def test_a_result_becomes_a_decision(tmp_path: pathlib.Path) -> None:
    """Each result vector of a provider is decided as the worker does it."""
    desk = Desk("veriff", tmp_path)
    vector = orjson.loads((_VECTORS / "veriff" / "result_declined.json").read_bytes())
    session_id = vector["session_id"]
    desk.simulator.add(simulators.Scenario(), session_id)
    sent = desk.simulator.callbacks(session_id)[-1]
    headers = [f"--header={name}: {value}" for name, value in sent.headers.items()]
    body = tmp_path / "body.json"
    body.write_bytes(sent.body)
    result = desk.file(orjson.dumps(vector["document"]))

    found = desk.run(*headers, "--body", str(body), "--result", result)

    assert found.exit_code == 0
    lines = [line.split(maxsplit=1) for line in found.stdout.splitlines()]
    assert ["decision", "rejected"] in lines
    assert ["reason", "declined"] in lines


def test_another_sessions_result_decides_nothing(tmp_path: pathlib.Path) -> None:
    """A result that is not the callback's session's is a mismatch."""
    desk = Desk("veriff", tmp_path)
    _, options = desk.callback()
    vector = orjson.loads((_VECTORS / "veriff" / "result_approved.json").read_bytes())
    result = tmp_path / "result.json"
    result.write_bytes(orjson.dumps(vector["document"]))

    found = desk.run(*options, "--result", str(result))

    lines = [line.split(maxsplit=1) for line in found.stdout.splitlines()]
    assert ["decision", "none: result_mismatch"] in lines


def test_a_published_vector_is_tried_with_its_own_secret(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret of any length, and a time long ago: Onfido's and Didit's samples."""
    checks = Desk("onfido", tmp_path, resource="check")
    vector = _VECTORS / "onfido" / "callback_check_completed.json"
    body = checks.file(orjson.dumps(orjson.loads(vector.read_bytes())["document"]))
    signature = "77ebc3e418f26be6eebb47f7ebe551321de26734fc273961e075fc9ab163d9c7"
    options = ("--body", body, "--header", f"X-SHA2-Signature: {signature}")
    monkeypatch.setenv("SAMPLE", "wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh")

    assert checks.run(*options, "--secret", "env:SAMPLE").exit_code == 0
    assert checks.run(*options).exit_code == 1

    didit = Desk("didit", tmp_path)
    vector = _VECTORS / "didit" / "callback_declined.json"
    document = orjson.loads(vector.read_bytes())["document"]
    raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    signature = "1b132d6284727cc34cb259add34355e547fe103c65475a8d6286462edf909b63"
    options = ("--body", didit.file(raw), "--header", f"x-signature:{signature}")
    monkeypatch.setenv("SAMPLE", "wh_test_secret_9f2c4b8e1a7d")
    secret = ("--secret", "env:SAMPLE")

    late = didit.run(*options, *secret)
    then = didit.run(*options, *secret, "--at", "2026-03-31T15:13:21Z")
    assert (late.exit_code, then.exit_code) == (1, 0)
    assert "older than the tolerance" in late.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--header", "x"], "--header must be 'NAME: VALUE'"),
        (["--at", "yesterday"], "--at must be a time"),
        (["--secret", "env:NOT_SET"], "--secret names the environment variable"),
    ],
)
def test_a_wrong_option_is_named(
    options: list[str], sentence: str, tmp_path: pathlib.Path
) -> None:
    """It says which option to change."""
    found = Desk("onfido", tmp_path).run(*options)

    assert found.exit_code != 0
    assert sentence in found.output


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused_without_a_byte_of_it(
    body: bytes, tmp_path: pathlib.Path
) -> None:
    """It is signed, and refused all the same."""
    desk = Desk("onfido", tmp_path)
    table = tomllib.loads(desk.config.read_text())["sources"]["onfido"]
    key = table["hmac_secrets"][0].encode()
    header = f"{onfido.SIGNATURE.header}: {onfido.SIGNATURE.sign(key, body)}"

    found = desk.run("--body", desk.file(body), "--header", header)

    assert found.exit_code == 1
    assert found.stdout.splitlines()[1].split(maxsplit=1)[1] == (
        "the body is not one JSON object"
    )
