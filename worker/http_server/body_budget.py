"""Bound the bytes of all request bodies together; the slowest one makes room."""

import asyncio
import collections
from types import TracebackType
from typing import Self

#: what a request costs beside its body, about
_EACH_BYTES = 8 << 10
#: of all bytes, what requests may have that have shown no secret yet
_STRANGERS_PART = 2


class BodyEvicted(Exception):
    """There is no room for this body."""


class BodyBudget:
    """
    Counts the bytes of the bodies that are read or held until their answer.

    Requests that have shown no secret yet get a half of *limit_bytes*. Where a
    body needs room, the one that has been read for longest, and so is the slowest,
    is given up: of those without a secret first. One that is whole is never.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._strangers_bytes = limit_bytes // _STRANGERS_PART
        #: being read, by the time at which they began. No dict: taking its first again
        #: and again passes over all that was taken before.
        self._strangers: collections.OrderedDict[Body, None] = collections.OrderedDict()
        self._known: collections.OrderedDict[Body, None] = collections.OrderedDict()
        self.held_bytes = 0
        self._of_strangers = 0

    def open(self, *, known: bool) -> "Body":
        """Return a body to be read; *known* where its head has shown a secret."""
        body = Body(self, known=known)
        (self._known if known else self._strangers)[body] = None
        return body

    def count(self, body: "Body", size: int) -> None:
        """Add *size* bytes to *body*; raises Crowded where it has to go itself."""
        self._add(body, size)
        while not body.evicted and (slowest := self._to_go()) is not None:
            self.remove(slowest)
            slowest.evict()
        if body.evicted or self.held_bytes > self._limit_bytes:
            raise BodyEvicted

    def _to_go(self) -> "Body | None":
        """Return which body makes room, if one has to and one can."""
        if self._of_strangers > self._strangers_bytes and self._strangers:
            return next(iter(self._strangers))
        if self.held_bytes > self._limit_bytes:
            return next(iter(self._strangers or self._known), None)
        return None

    def _add(self, body: "Body", size: int) -> None:
        body.size += size
        self.held_bytes += size
        if not body.known:
            self._of_strangers += size

    def complete(self, body: "Body") -> None:
        """Take note that *body* is whole: it is held, and not given up."""
        self._strangers.pop(body, None)
        self._known.pop(body, None)

    def remove(self, body: "Body") -> None:
        """Count *body* no longer; idempotent."""
        self.complete(body)
        self._add(body, -body.size)


class Body:
    """One body, counted while the block runs in which it is used."""

    __slots__ = ("_all", "_deadline", "evicted", "known", "size")

    def __init__(self, of: BodyBudget, *, known: bool) -> None:
        self._all = of
        self.known = known
        self.size = 0
        self.evicted = False
        self._deadline: asyncio.Timeout | None = None

    def __enter__(self) -> Self:
        """Count what every request costs. Raises Crowded."""
        try:
            self.count(_EACH_BYTES)
        except BodyEvicted:
            self._all.remove(self)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Count it no longer."""
        self._all.remove(self)

    def ends_at(self, deadline: asyncio.Timeout) -> None:
        """Let *deadline* be what ends the reading if this body has to go."""
        self._deadline = deadline

    def count(self, size: int) -> None:
        """Take note of *size* more bytes; raises Crowded."""
        self._all.count(self, size)

    def complete(self) -> None:
        """Take note that nothing more comes."""
        self._all.complete(self)

    def evict(self) -> None:
        """End the reading, as soon as the loop comes to it."""
        self.evicted = True
        # One whose time is over ends by itself, and lets nothing be changed any more.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
