"""Read arguments, run a command, and end with an exit code and a sentence."""

import sys

import click

import worker
from worker import errors
from worker.cli import (
    checking,
    deciding,
    deving,
    linking,
    rechecking,
    redriving,
    serving,
    simulating,
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 good, 1 failed, 2 bad usage or configuration.",
)
@click.version_option(worker.__version__, prog_name="kyc-worker")
def commands() -> None:
    """Turn identity-verification callbacks into decisions, exactly once, on Kafka."""


for _command in (
    deving.dev,
    serving.ingress,
    serving.work,
    checking.topics,
    checking.check,
    linking.url,
    deciding.tail,
    deciding.session,
    rechecking.recheck,
    redriving.dlq,
    simulating.simulate,
):
    commands.add_command(_command)


def main() -> None:
    """Run the command that the arguments name; every failure is a sentence."""
    try:
        code = commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except errors.ConfigurationError as error:
        for problem in error.problems:
            click.echo(f"configuration: {problem}", err=True)
        code = 2
    except errors.TopicMismatch as error:
        for problem in error.problems:
            click.echo(f"topics: {problem}", err=True)
        click.echo("kyc-worker topics creates what is missing.", err=True)
        code = 1
    except errors.KycError as error:
        click.echo(f"error: {error}", err=True)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
