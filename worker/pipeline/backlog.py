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

    def __bool__(self) -> bool:
        """Return whether any session has waited yet."""
        return bool(self._sizes)

    def __contains__(self, key: model.SessionKey) -> bool:
        """Return whether the session waits."""
        sizes = self._sizes.get(key.source)
        return sizes is not None and key in sizes

    def put(self, key: model.SessionKey, session: ledger.Session) -> None:
        """Let *session* wait; where it does already it keeps its place."""
        source, size = key.source, weigh(session)
        sizes = self._sizes.get(source)
        if sizes is None:
            sizes = self._sizes[source] = collections.OrderedDict()
            self._bytes[source] = 0
        before = sizes.get(key, 0)
        if before != size:
            sizes[key] = size
            self._bytes[source] += size - before

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
    size = _SESSION_BYTES + 2 * len(session.provider_session_id)
    if session.reference is not None:
        size += len(session.reference)
    for delivery_id in session.seen_delivery_ids:
        size += _MARK_BYTES + len(delivery_id)
    return size
