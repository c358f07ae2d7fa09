"""Read arguments, run a command, and end with an exit code and a sentence."""

import contextlib
import importlib
import sys

import click

import worker
from worker import errors
from worker.cli import _signals, _streams, _system_errors

_GOOD, _FAILED, _USAGE, _INTERRUPTED = 0, 1, 2, 130

#: Each command's module, and its line in ``--help``: only the module of the command
#: that runs is imported.
_COMMANDS = {
    "dev": (
        "worker.devkit.cli.dev",
        "Start a local system: Kafka, simulated providers, ingress, workers, traffic.",
    ),
    "ingress": ("worker.cli.serve", "Run the ingress: accept provider callbacks."),
    "worker": ("worker.cli.serve", "Run a worker: fetch results and emit decisions."),
    "api": ("worker.cli.begin", "Run the API: start and register sessions."),
    "topics": ("worker.cli.check", "Create and check the Kafka topics."),
    "check": ("worker.cli.check", "Check the configuration."),
    "providers": ("worker.cli.providers", "List the supported providers."),
    "try": ("worker.cli.try_callback", "Show what a callback would become."),
    "url": ("worker.cli.url", "Print the webhook URL of a source."),
    "begin": ("worker.cli.begin", "Start a session at a provider."),
    "begins": ("worker.cli.begins", "List session starts and their state."),
    "register": ("worker.cli.register", "Register sessions that you started yourself."),
    "tail": ("worker.cli.tail", "Follow the decisions."),
    "session": ("worker.cli.tail", "Show the state and the decisions of a session."),
    "recheck": ("worker.cli.recheck", "Fetch the results of sessions again."),
    "sessions": ("worker.cli.purge", "End sessions in bulk, after a URL has leaked."),
    "dlq": ("worker.cli.dlq", "List and redrive dead letters."),
    "api-key": ("worker.cli.api_key", "Generate a key for the API."),
    "simulate": ("worker.devkit.cli.simulate", "Run simulated providers."),
}
#: Former names that still work and that ``--help`` does not list.
_ALIASES = {"work": "worker"}


_DEVKIT = "worker.devkit."
_NO_DEVKIT = (
    "{} is a development tool, which this installation does not contain: install the"
    " extra `dev` in a checkout of the project (pip install -e '.[dev]')."
)


class _Lazy(click.Group):
    """A group that imports the module of the requested command only."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        """Return the names, in the order of use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        """Return the command *cmd_name*, or None if there is none."""
        cmd_name = _ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in _COMMANDS:
            return None
        name = _COMMANDS[cmd_name][0]
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            if not name.startswith(_DEVKIT):
                raise
            raise click.ClickException(_NO_DEVKIT.format(cmd_name)) from None
        return next(
            value
            for value in vars(module).values()
            if isinstance(value, click.Command) and value.name == cmd_name
        )

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.",
)
@click.version_option(worker.__version__, prog_name="kyc-worker")
def commands() -> None:
    """Turn identity-verification callbacks into decisions, exactly once, on Kafka."""


def main() -> None:
    """Run the command that the arguments name; every failure is a sentence."""
    _signals.install()
    _streams.complete()
    try:
        code = _run()
        _streams.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except OSError as error:
        code = _FAILED
        if not _streams.reader_is_gone():
            _say(f"error: {_system_errors.sentence(error)}")
    if _streams.reader_is_gone():
        # Who closes a pipe has read enough: that needs no words.
        _streams.forget()
    sys.exit(code)


def _run() -> int:
    """Return the exit code; OSError is passed on."""
    try:
        code = commands.main(prog_name="kyc-worker", standalone_mode=False)
    except click.exceptions.Abort:
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except errors.ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"configuration: {problem}", err=True)
        return _USAGE
    except errors.TopicMismatch as error:
        for problem in error.problems:
            click.echo(f"topics: {problem}", err=True)
        click.echo("kyc-worker topics creates what is missing.", err=True)
        return _FAILED
    except errors.KycError as error:
        click.echo(f"error: {error}", err=True)
        return _FAILED
    except SystemExit as ended:
        code = ended.code
    return code if isinstance(code, int) else _GOOD


def _say(sentence: str) -> None:
    """Write *sentence* to stderr, if that can be written to."""
    with contextlib.suppress(OSError):
        click.echo(sentence, err=True)
