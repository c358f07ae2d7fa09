"""Talk to whoever started ``dev``: news to stderr, decisions to stdout."""

import sys
from collections.abc import Mapping

import click

from worker import model
from worker.cli import rendering

_MARKS: Mapping[model.Outcome, tuple[str, str]] = {
    model.Outcome.APPROVED: ("✔", "green"),
    model.Outcome.REJECTED: ("✘", "red"),
    model.Outcome.PENDING: ("…", "yellow"),
}


class Console:
    """
    Standard output and error, and what they can show.

    *people* says that a person reads stdout; *colour* that marks and colours can be
    read there.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.people = sys.stdout.isatty()
        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        # no-color.org: whatever its value, unless that is empty
        self.colour = self.people and unicode and not environ.get("NO_COLOR")

    def say(self, text: str) -> None:
        """Tell *text*, which is no result."""
        click.echo(text, err=True)

    def row(self, name: str, text: str) -> None:
        """Tell one of several facts, *name* in a column of its own."""
        self.say(f"  {name:10} {text}")

    def decision(self, decision: model.Decision, value: bytes) -> None:
        """Show *decision*: a line for a person, else its record as a JSON line."""
        if not self.people:
            sys.stdout.buffer.write(value + b"\n")
            sys.stdout.buffer.flush()
            return
        line = rendering.decision_line(decision, colour=self.colour)
        if self.colour:
            mark, hue = _MARKS[decision.verdict.outcome]
            line = f"{click.style(mark, fg=hue)} {line}"
        click.echo(line)
