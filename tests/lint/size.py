"""Refuse files that are too long, and modules that do not say what they are for."""

import ast
import pathlib
import sys

LINES_MAX = 300
ROOT = pathlib.Path(__file__).parents[2]
CHECKED = ("worker", "tests", "deploy")


def problems() -> list[str]:
    """Return a sentence for every file that breaks a rule."""
    found = []
    paths = [path for folder in CHECKED for path in (ROOT / folder).rglob("*.py")]
    for path in sorted(paths):
        text = path.read_text()
        name = path.relative_to(ROOT)
        lines = text.count("\n")
        if lines > LINES_MAX:
            found.append(f"{name}: {lines} lines, {LINES_MAX} at most: split it")
        if text.strip() and ast.get_docstring(ast.parse(text)) is None:
            found.append(f"{name}: its first line does not say what it is for")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or 0)
