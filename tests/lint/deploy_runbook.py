"""Check the runbook: an entry for every alert, links that lead, commands that exist."""

import re
from collections.abc import Iterator, Mapping, Sequence

import click

from worker import cli, model

_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(#([^)]+)\)")
_COMMAND = re.compile(r"kyc-worker ([a-z][a-z-]*(?: [^`#\n<;,]*)?)")
_PARTS = (
    "Meaning",
    "Impact",
    "Automatic recovery",
    "Diagnosis",
    "Mitigation",
    "Resolved when",
)
#: Where the documentation site publishes the runbook; the host is configurable.
_ADDRESS = re.compile(r"https://[^/\s#?]+/\S*operations/runbook/")


def anchor(heading: str) -> str:
    """Return the anchor that Markdown renderers give to *heading*."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def entries(text: str) -> dict[str, dict[str, str]]:
    """Return the body of every entry, by its section and its heading."""
    found: dict[str, dict[str, str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name, *parts = re.split(r"^### ", section, flags=re.MULTILINE)
        bodies = {}
        for part in parts:
            heading, _, body = part.partition("\n")
            bodies[heading.strip()] = body
        found[name.split("\n", 1)[0].strip()] = bodies
    return found


def problems(text: str, alerts: Mapping[str, str]) -> Iterator[str]:
    """
    Yield a sentence for everything that is wrong in the runbook *text*.

    *alerts* is the ``runbook_url`` of each alert by its name.
    """
    anchors = [anchor(match[2]) for match in _HEADING.finditer(text)]
    for name in sorted({one for one in anchors if anchors.count(one) > 1}):
        yield f"has two headings for #{name}"
    for name, link in alerts.items():
        address, _, target = link.partition("#")
        if not _ADDRESS.fullmatch(address):
            yield f"is not where {name} leads, which must be absolute: {link}"
        if target not in anchors:
            yield f"has no entry for {name}: {link}"
    addresses = {link.partition("#")[0] for link in alerts.values()}
    if len(addresses) > 1:
        yield f"has more than one address: {sorted(addresses)}"
    for target in _LINK.findall(text):
        if target not in anchors:
            yield f"links to #{target}, which is not there"
    yield from _coverage(entries(text), alerts)
    for line in _COMMAND.findall(text):
        yield from command_problems(line.split())


def _coverage(
    found: Mapping[str, Mapping[str, str]], alerts: Mapping[str, str]
) -> Iterator[str]:
    kinds = {str(kind) for kind in model.AlarmKind}
    linked = {link.partition("#")[2] for link in alerts.values()}
    alarm_entries = set(found.get("Alarms", {}))
    for kind in sorted(kinds ^ alarm_entries):
        what = "lacks an entry for the alarm" if kind in kinds else "no such alarm"
        yield f"{what}: {kind}"
    for heading in found.get("Alerts", {}):
        if anchor(heading) not in linked:
            yield f"has an entry that no alert leads to: {heading}"
    for section in ("Alarms", "Alerts"):
        for heading, body in found.get(section, {}).items():
            said = tuple(re.findall(r"^- \*\*(.+?)\*\*: \S", body, re.MULTILINE))
            if said != _PARTS:
                yield f"{heading} must say {', '.join(_PARTS)}, each once, in order"


def command_problems(words: Sequence[str]) -> Iterator[str]:
    """Yield what *words*, less ``kyc-worker``, name that is no command or option."""
    command: click.Command = cli.commands
    rest = list(words)
    while isinstance(command, click.Group):
        word = rest.pop(0) if rest else ""
        found = command.get_command(click.Context(command), word)
        if found is None:
            yield f"names kyc-worker {' '.join(words)}: there is no command {word!r}"
            return
        command = found
    options = {name for one in command.params for name in one.opts}
    for word in rest:
        if word.startswith("--") and word not in options:
            yield f"names kyc-worker {' '.join(words)}: there is no option {word}"
