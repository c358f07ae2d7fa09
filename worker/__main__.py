"""Start the command line: ``kyc-worker COMMAND`` is ``python -m worker COMMAND``."""

from worker import cli


def main() -> None:
    """Run the command that the arguments name; ends the process."""
    cli.main()


if __name__ == "__main__":
    main()
