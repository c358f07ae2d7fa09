"""Deliver the one-time messages that a provider leaves to us; stored nowhere."""

import ipaddress
from typing import Any, Protocol

import aiohttp
import orjson
import yarl

_HEADERS = {"Content-Type": "application/json", "User-Agent": "kyc-worker"}


class Forwarder(Protocol):
    """Who delivers a message."""

    async def forward(self, url: str, document: dict[str, Any]) -> bool:
        """Return whether *url* answered 2xx in time; raises nothing."""
        ...

    async def close(self) -> None:
        """Close connections; idempotent."""
        ...


class AiohttpForwarder:
    """
    Posts to the configured address: https, or loopback; no redirects, no retries.

    A message may arrive twice where the provider repeats it.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def forward(self, url: str, document: dict[str, Any]) -> bool:
        """Return whether *url* answered 2xx within the time limit."""
        try:
            target = yarl.URL(url)
            if not is_safe(target):
                return False
            async with self._opened().post(
                target,
                data=orjson.dumps(document),
                headers=_HEADERS,
                allow_redirects=False,
            ) as response:
                return response.status // 100 == 2  # noqa: PLR2004 -- 2xx
        except (aiohttp.ClientError, OSError, ValueError, TypeError):
            return False  # and nothing of the exception: it may quote the message

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made inside the running loop on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Close connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def is_safe(url: yarl.URL) -> bool:
    """Return whether one-time codes may go to *url*: https, or this machine."""
    if url.scheme == "https":
        return url.host is not None
    host = url.host or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    return url.scheme == "http" and local
