"""Bound the bytes of answers that are being read at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Budget:
    """
    Bytes that are reserved before they are held, in the order of asking.

    What is larger than all of it has all of it to itself.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = self._free = capacity
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def reserved_bytes(self) -> int:
        """Return how many bytes are reserved now."""
        return self._capacity - self._free

    @contextlib.asynccontextmanager
    async def reserved(self, size: int) -> AsyncIterator[None]:
        """Wait for *size* bytes, and hold them during the body."""
        size = min(size, self._capacity)
        async with self._turn:
            while self._free < size:
                self._freed.clear()
                await self._freed.wait()
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._freed.set()
