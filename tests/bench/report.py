"""Print what a measuring process has found: one line of JSON for its parent process."""

from collections.abc import Mapping

import orjson


def write(document: Mapping[str, object] | None = None) -> None:
    """Print *document*; without one, that this process is ready."""
    print(orjson.dumps(document or {}).decode(), flush=True)  # noqa: T201 -- read there
