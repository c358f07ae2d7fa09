"""Say what else may answer on the ingress's port, beside the webhook endpoints."""

from typing import Protocol

from aiohttp import web


class Pages(Protocol):
    """Answers the requests that are no callbacks."""

    def takes(self, path: str) -> bool:
        """Return whether *path*, as sent, is one of these."""
        ...

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer *request*; what it raises is answered 503."""
        ...
