"""Every log call of the project keeps the log's rules."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

import worker
from worker.telemetry import logs

ROOT = pathlib.Path(worker.__file__).parent
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
LOGGERS = frozenset({"log", "_log", "logger", "_logger"})
EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that log."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else ""
        name = owner.id if isinstance(owner, ast.Name) else name
        if node.func.attr in LEVELS and name in LOGGERS:
            yield node


def faults(source: str) -> list[str]:
    """Return what the log would refuse of the calls in *source*."""
    found = []
    for call in calls(ast.parse(source)):
        event = call.args[0] if len(call.args) == 1 else None
        constant = event.value if isinstance(event, ast.Constant) else None
        if isinstance(event, ast.Name) and event.id.isupper():
            constant = "named.constant"
        if not isinstance(constant, str) or not EVENT.fullmatch(constant):
            found.append(f"line {call.lineno}: the event must be one fixed word")
        found += [
            f"line {call.lineno}: {keyword.arg} is not in logs.ALLOWED"
            for keyword in call.keywords
            if keyword.arg not in {*logs.ALLOWED, "exc_info", None}
        ]
    return found


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_call_logs_listed_keys(path: pathlib.Path) -> None:
    """A key that the log would drop is found here, and not in production."""
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "log.info(f'a.{b}')",
        "self._log.error('a.b', body=1)",
        "_log.warning('a.b', x)",
        "_log.warning('One thing happened')",
        "_log.info()",
    ],
)
def test_a_call_that_breaks_the_rules_is_found(source: str) -> None:
    """The check itself finds what it is for."""
    assert len(faults(source)) == 1
