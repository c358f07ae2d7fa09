"""Build what an adapter is given, read vectors, and spell ids that are none."""

import pathlib
from typing import Any

import orjson
import pytest

from worker import model

_VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
OTHER_UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

#: What must never be taken for the text of a UUID.
NO_UUIDS = [
    pytest.param(value, id=ascii(value)[:40])
    for value in (
        None,
        True,
        0,
        1.5,
        [],
        [UUID],
        {},
        {"id": UUID},
        "",
        f"{UUID}/",
        f"../{UUID}",
        f"{UUID[:-3]}/..",
        f"{UUID[:-3]}%2f",
        f"{UUID[:-1]}\0",
        f"{UUID}\0",
        f"{UUID}\n",
        f" {UUID}",
        UUID.replace("-", ""),
        f"{{{UUID}}}",
        UUID.replace("3", "\uff13"),
        UUID.replace("3", "\u0663"),
        UUID.replace("f", "\uff46"),
        UUID.replace("-", "\u2010"),
        "\ud800" + UUID[1:],
        "a" * 300,
        UUID * 9,
    )
]


def vectors(provider: str, kind: str) -> list[Any]:
    """Return the vectors of *kind* as parameters of a test; there is at least one."""
    found = [
        pytest.param(vector, id=path.stem)
        for path in sorted((_VECTORS / provider).glob("*.json"))
        if (vector := orjson.loads(path.read_bytes()))["kind"] == kind
    ]
    assert found
    return found


def parsed(raw: str) -> dict[str, Any]:
    """Return the object that *raw* is."""
    document: dict[str, Any] = orjson.loads(raw)
    return document


def callback(
    document: dict[str, Any] | None, query: dict[str, str] | None = None
) -> model.VerifiedCallback:
    """Return a callback that every authenticator has passed."""
    return model.VerifiedCallback(
        source="a", document=document, query=query or {}, digest="0" * 64, received_at=0
    )


def event(
    provider_event: str, claim: dict[str, str | None], provider_time: int | None = None
) -> model.Event:
    """Return the event that a callback with *claim* became."""
    return model.Event(
        event_id="e",
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="a",
        provider="p",
        session_id=UUID,
        provider_session_id=UUID,
        received_at=0,
        provider_event=provider_event,
        provider_time=provider_time,
        claim=claim,
    )


def answer(document: object) -> model.ProviderResponse:
    """Return an answer that came at the seventh millisecond."""
    return model.ProviderResponse(document=document, observed_at=7)


def key(session_id: str = UUID) -> model.SessionKey:
    """Return the session's identity."""
    return model.SessionKey("a", session_id)
