"""Keep the sessions that wait, by source, longest-waiting first, with their size."""

import collections
from collections.abc import Iterator

from worker import ledger, model

#: What one waiting session takes, less its own texts: values, keys, heap and gate.
#: Measured with ``python -m tests.scale leaked-url``; a text counts by its length.
_SESSION_BYTES = 1_500
_MARK_BYTES = 60


class Backlog:
    """The sessions of a partition that wait for the same thing."""

    def __init__(self) -> None:
        # Not a dict: there the first key is found ever more slowly as others go.
        self._sizes: dict[str, collections.OrderedDict[model.SessionKey, int]] = {}
        self._bytes: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many wait, of all sources."""
        return sum(map(len, self._sizes.values()))

    def __contains__(self, key: model.SessionKey) -> bool:
        """Return whether the session waits."""
        return key in self._sizes.get(key.source, ())

    def put(self, key: model.SessionKey, session: ledger.Session) -> None:
        """Let *session* wait; where it does already it keeps its place."""
        sizes = self._sizes.setdefault(key.source, collections.OrderedDict())
        size = weigh(session)
        self._bytes[key.source] = (
            self._bytes.get(key.source, 0) + size - sizes.get(key, 0)
        )
        sizes[key] = size

    def discard(self, key: model.SessionKey) -> None:
        """Take note that the session does not wait, or no more."""
        sizes = self._sizes.get(key.source)
        size = None if sizes is None else sizes.pop(key, None)
        if size is not None:
            self._bytes[key.source] -= size

    def sources(self) -> list[str]:
        """Return the sources of which any session has waited."""
        return list(self._sizes)

    def sessions(self, source: str) -> int:
        """Return how many sessions of *source* wait."""
        return len(self._sizes.get(source, ()))

    def size(self, source: str) -> int:
        """Return how many bytes of memory the sessions of *source* take, about."""
        return self._bytes.get(source, 0)

    def oldest(self, source: str) -> Iterator[model.SessionKey]:
        """Yield the sessions of *source*, those that wait longest first."""
        return iter(self._sizes.get(source, ()))


def weigh(session: ledger.Session) -> int:
    """Return about how many bytes of memory a waiting *session* takes."""
    texts = 2 * len(session.provider_session_id) + len(session.reference or "")
    marks = sum(map(len, session.seen_delivery_ids)) + _MARK_BYTES * len(
        session.seen_delivery_ids
    )
    return _SESSION_BYTES + texts + marks
