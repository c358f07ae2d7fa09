"""Help: each command says what it does, and what each option is for."""

from collections.abc import Iterator

import click
import pytest
from click import testing

from worker import cli

Named = tuple[str, click.Command]


def _and_below(command: click.Command, names: str = "") -> Iterator[Named]:
    """Yield *command* and every one below it, with what is typed for it."""
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _and_below(below, f"{names} {name}".strip())


@pytest.mark.parametrize(("names", "command"), list(_and_below(cli.commands)))
def test_every_command_has_help(names: str, command: click.Command) -> None:
    """For itself, and for every option."""
    found = testing.CliRunner().invoke(cli.commands, f"{names} --help")

    assert found.exit_code == 0, found.output
    assert command.help
    assert command.help.split()[0] in found.output
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.opts[-1] in found.output


def test_the_former_name_of_worker_works_and_is_not_listed() -> None:
    """Scripts that call ``work`` go on; readers of the help see one name."""
    context = click.Context(cli.commands)
    worker = cli.commands.get_command(context, "worker")

    assert worker is not None
    assert cli.commands.get_command(context, "work") is worker
    assert "work" not in cli.commands.list_commands(context)
    assert "\n  work " not in testing.CliRunner().invoke(cli.commands, "--help").output
