"""Ask for sessions as the api does, and read what providers are sent."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import model

#: planted where personal data stands; nothing that is told may hold it
MARKER = "planted-4c1d9e"


def request(**changes: Any) -> model.BeginRequest:  # noqa: ANN401 -- of any field
    """Return a request to redirect a person, changed as wished."""
    usual = model.BeginRequest(
        source="source",
        begin_id="b" * 43,
        reference="customer-17",
        mode=model.BeginMode.REDIRECT,
        return_address="https://kyc.example.com/return/source/ticket",
    )
    return dataclasses.replace(usual, **changes)


def embedded(**changes: Any) -> model.BeginRequest:  # noqa: ANN401 -- of any field
    """Return a request to embed the provider's page, changed as wished."""
    return request(mode=model.BeginMode.EMBED, return_address=None, **changes)


@dataclasses.dataclass(slots=True)
class Provider:
    """A provider that answers every call alike, and notes what it was sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    calls: list[web.Request] = dataclasses.field(default_factory=list)
    bodies: list[bytes] = dataclasses.field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        self.calls.append(request)
        self.bodies.append(await request.read())
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    @property
    def sent(self) -> Any:  # noqa: ANN401 -- JSON
        """Return the document of the only call."""
        (body,) = self.bodies
        return orjson.loads(body)
