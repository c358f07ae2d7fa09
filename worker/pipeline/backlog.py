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
        #: what each waiting session takes; a key is looked up at every step
        self.sizes: dict[model.SessionKey, int] = {}
        # No dict: there the first key is found ever more slowly as others go.
        self._order: dict[str, collections.OrderedDict[model.SessionKey, None]] = {}
        self._bytes: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many wait, of all sources."""
        return len(self.sizes)

    def __contains__(self, key: model.SessionKey) -> bool:
        """Return whether the session waits."""
        return key in self.sizes

    def put(self, key: model.SessionKey, session: ledger.Session) -> None:
        """Let *session* wait; where it does already it keeps its place."""
        size, before = weigh(session), self.sizes.get(key)
        if before == size:
            return
        source = key.source
        self.sizes[key] = size
        if before is None:
            order = self._order.get(source)
            if order is None:
                order = self._order[source] = collections.OrderedDict()
                self._bytes[source] = 0
            order[key] = None
        self._bytes[source] += size - (before or 0)

    def discard(self, key: model.SessionKey) -> None:
        """Take note that the session does not wait, or no more."""
        size = self.sizes.pop(key, None)
        if size is not None:
            del self._order[key.source][key]
            self._bytes[key.source] -= size

    def sources(self) -> list[str]:
        """Return the sources of which any session has waited."""
        return list(self._order)

    def sessions(self, source: str) -> int:
        """Return how many sessions of *source* wait."""
        return len(self._order.get(source, ()))

    def size(self, source: str) -> int:
        """Return how many bytes of memory the sessions of *source* take, about."""
        return self._bytes.get(source, 0)

    def oldest(self, source: str) -> Iterator[model.SessionKey]:
        """Yield the sessions of *source*, those that wait longest first."""
        return iter(self._order.get(source, ()))


def weigh(session: ledger.Session) -> int:
    """Return about how many bytes of memory a waiting *session* takes."""
    size = _SESSION_BYTES + 2 * len(session.provider_session_id)
    if session.reference is not None:
        size += len(session.reference)
    for delivery_id in session.seen_delivery_ids:
        size += _MARK_BYTES + len(delivery_id)
    return size
