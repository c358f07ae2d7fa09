"""Show how a download goes on: a bar on a terminal, plain lines elsewhere."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import rich.console
import rich.progress

_TITLE = "Fetching Apache Kafka, once"
_MB = 1_000_000
_LINE_EVERY = 0.25

Advance = Callable[[int], None]


@contextlib.contextmanager
def shown(sizes_bytes: Sequence[int]) -> Iterator[Advance]:
    """Yield what is to be called with the size of each file that has arrived."""
    console = rich.console.Console(stderr=True)
    total = sum(sizes_bytes)
    if not console.is_terminal:
        yield _lines(console, files=len(sizes_bytes), total=total)
        return
    with rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(_TITLE, total=total)
        yield lambda size_bytes: bar.advance(task, size_bytes)


def _lines(console: rich.console.Console, *, files: int, total: int) -> Advance:
    """Write a line at the beginning and at each quarter."""
    console.print(f"{_TITLE}: {files} files, {total / _MB:.0f} MB", highlight=False)
    arrived = 0
    reported = 0.0

    def advance(size_bytes: int) -> None:
        nonlocal arrived, reported
        arrived += size_bytes
        if arrived >= total * (reported + _LINE_EVERY):
            reported = arrived / total
            console.print(
                f"{_TITLE}: {arrived / _MB:.0f} of {total / _MB:.0f} MB",
                highlight=False,
            )

    return advance
