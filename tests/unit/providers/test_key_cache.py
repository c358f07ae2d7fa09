"""Keys by name: few fetches, however many names a caller invents."""

import asyncio

import pytest

from worker import errors
from worker.providers import _key_cache


class _Clock:
    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    async def sleep(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


class _Provider:
    """Knows one key; fails or waits as wished."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: errors.FetchError | None = None
        self.gate: asyncio.Event | None = None

    async def fetch(self, name: str) -> bytes | None:
        """Return the key of ``known``."""
        self.asked.append(name)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return b"key" if name == "known" else None


async def test_a_key_is_fetched_once_an_hour() -> None:
    """A known key costs one call, and is fetched anew after an hour."""
    clock, provider = _Clock(), _Provider()
    cache = _key_cache.KeyCache(provider.fetch, clock)

    assert [await cache.get("known") for _ in range(3)] == [b"key"] * 3
    assert provider.asked == ["known"]
    clock.at_ms += 3_600_000
    assert await cache.get("known") == b"key"
    assert provider.asked == ["known"] * 2


async def test_an_unknown_name_is_asked_once() -> None:
    """A name without a key is refused, and remembered for five minutes."""
    clock, provider = _Clock(), _Provider()
    cache = _key_cache.KeyCache(provider.fetch, clock)
    for _ in range(3):
        with pytest.raises(errors.AuthenticationError):
            await cache.get("forged")

    assert provider.asked == ["forged"]
    clock.at_ms += 300_000
    with pytest.raises(errors.AuthenticationError):
        await cache.get("forged")
    assert provider.asked == ["forged"] * 2


async def test_invented_names_cost_ten_calls_a_minute() -> None:
    """Beyond that they are not asked for; the known key still is there."""
    clock, provider = _Clock(), _Provider()
    cache = _key_cache.KeyCache(provider.fetch, clock)
    await cache.get("known")
    refused = 0
    for number in range(100):
        try:
            await cache.get(f"forged-{number}")
        except errors.RateLimited:
            refused += 1
        except errors.AuthenticationError:
            pass

    assert len(provider.asked) == 10
    assert refused == 91
    assert await cache.get("known") == b"key"
    clock.at_ms += 60_000
    with pytest.raises(errors.AuthenticationError):
        await cache.get("forged-99")


async def test_a_failure_is_not_remembered() -> None:
    """Where the key cannot be fetched the caller may come again."""
    provider = _Provider()
    cache = _key_cache.KeyCache(provider.fetch, _Clock())
    provider.failure = errors.ProviderTimeout()
    with pytest.raises(errors.ProviderTimeout):
        await cache.get("known")
    provider.failure = None

    assert await cache.get("known") == b"key"


async def test_one_fetch_runs_at_a_time() -> None:
    """Callers of the same name share a fetch, those of another come again."""
    provider = _Provider()
    provider.gate = asyncio.Event()
    cache = _key_cache.KeyCache(provider.fetch, _Clock())
    waiting = [asyncio.create_task(cache.get("known")) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(errors.RateLimited):
        await cache.get("another")
    provider.gate.set()

    assert await asyncio.gather(*waiting) == [b"key"] * 3
    assert provider.asked == ["known"]


async def test_closing_ends_a_fetch() -> None:
    """A fetch that hangs is cancelled; closing twice is fine."""
    provider = _Provider()
    provider.gate = asyncio.Event()
    cache = _key_cache.KeyCache(provider.fetch, _Clock())
    waiting = asyncio.create_task(cache.get("known"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await cache.close()
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
