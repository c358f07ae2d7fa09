"""``providers``: every provider of the registry, and what it offers."""

import json

import click.testing

from worker import cli, providers


def _run(*options: str) -> str:
    found = click.testing.CliRunner().invoke(cli.commands, ["providers", *options])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_every_provider_is_listed() -> None:
    """A line each, in the order of the registry, with its session start."""
    head, *lines = _run().splitlines()

    assert head.split("  ")[0] == "provider"
    assert [line.split()[0] for line in lines] == list(providers.REGISTRY)
    starts = {line.split()[0]: line.split()[-1] == "yes" for line in lines}
    assert starts == {
        name: entry.build_starter is not None
        for name, entry in providers.REGISTRY.items()
    }


def test_a_program_reads_lines_of_json() -> None:
    """Names, authenticators, the header of the signature, the session start."""
    found = {
        each["provider"]: each
        for each in map(json.loads, _run("--output=json").splitlines())
    }

    assert found["jumio"]["signature"] is None
    assert found["onfido"] == {
        "provider": "onfido",
        "authenticate": ["hmac_body"],
        "signature": "x-sha2-signature",
        "session_start": True,
    }
