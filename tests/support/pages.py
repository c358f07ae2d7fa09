"""Read the documents: their sections, tables, headings and links."""

import pathlib
import re
from collections.abc import Iterator

from markdown.extensions import toc

ROOT = pathlib.Path(__file__).parents[2]
SITE = ROOT / "docs"
_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


def documents() -> list[pathlib.Path]:
    """Return every document for people: those at the top, and the site's pages."""
    return sorted([*ROOT.glob("*.md"), *SITE.rglob("*.md")])


def text(page: str) -> str:
    """Return the text of *page*, a path below docs/."""
    return (SITE / page).read_text()


def prose(source: str) -> str:
    """Return *source* without its fenced blocks."""
    return _FENCE.sub("", source)


def section(page: str, title: str) -> str:
    """Return the text below the heading *title*, up to the next of its rank."""
    source = prose(text(page))
    (level,) = re.findall(rf"^(#+) {re.escape(title)}$", source, re.MULTILINE)
    _, _, rest = source.partition(f"{level} {title}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(page: str, head: str) -> list[list[str]]:
    """Return the cells of the one table of *page* whose first column is *head*."""
    start = f"\n| {head} |"
    assert prose(text(page)).count(start) == 1, f"one table {head} in {page}"
    _, _, table = prose(text(page)).partition(start)
    lines = table.split("\n\n")[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def codes(cell: str) -> list[str]:
    """Return the texts in code quotes of *cell*."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(document: pathlib.Path) -> list[str]:
    """Return the anchors of the headings of *document*, in the site and on GitHub."""
    headings = re.findall(r"^#+ (.*)$", prose(document.read_text()), re.MULTILINE)
    return [toc.slugify(heading.replace("`", ""), "-") for heading in headings]


def links(document: pathlib.Path) -> Iterator[tuple[str, pathlib.Path, str]]:
    """Yield each relative link of *document*: as written, its file, its anchor."""
    for target in _LINK.findall(prose(document.read_text())):
        path, _, anchor = target.partition("#")
        yield target, (document.parent / path if path else document).resolve(), anchor
