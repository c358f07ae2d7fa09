"""Have a measuring process tell whoever started it: one line of JSON."""

from collections.abc import Mapping

import orjson


def tell(document: Mapping[str, object] | None = None) -> None:
    """Print *document*; without one, that this process is ready."""
    print(orjson.dumps(document or {}).decode(), flush=True)  # noqa: T201 -- read there
