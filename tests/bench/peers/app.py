"""
Do the ingress's job as a team would write it in an afternoon.

FastAPI, FastStream and an HMAC; ``KAFKA``, ``TOPIC`` and ``SECRET`` are in the
environment, and ``uvicorn app:app`` serves it. It stands by itself: nothing of the
project is imported, and what it needs is in requirements.txt beside it.
"""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Request
from faststream.kafka import KafkaBroker
from pydantic import BaseModel, ValidationError

SECRET = os.environ["SECRET"].encode()
TOPIC = os.environ["TOPIC"]

broker = KafkaBroker(os.environ["KAFKA"], acks="all", enable_idempotence=True)


class Callback(BaseModel):
    """What id beyond sends."""

    event: str
    verificationSessionId: UUID  # noqa: N815 -- the provider's own name
    externalUserId: str | None = None  # noqa: N815 -- the provider's own name
    decision: Literal["approved", "rejected"] | None = None
    reviewStatus: str | None = None  # noqa: N815 -- the provider's own name
    rationale: str | None = None
    metadata: dict[str, Any] | None = None
    timestamp: datetime | None = None


class Event(BaseModel):
    """What the rest of the system is told."""

    event_id: UUID
    session_id: UUID
    event: str
    decision: str | None
    review_status: str | None
    provider_time: datetime | None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Hold the connection to Kafka."""
    await broker.start()
    yield
    await broker.stop()


app = FastAPI(lifespan=lifespan)


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Say that it serves."""
    return {"status": "ready"}


@app.post("/webhooks/idbeyond")
async def webhook(request: Request) -> dict[str, str]:
    """Take a callback: verify, parse, publish, answer."""
    body = await request.body()
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    signature = request.headers.get("X-Verification-Signature", "")
    if not hmac.compare_digest(expected, signature):
        raise HTTPException(status_code=401, detail="wrong signature")
    try:
        callback = Callback.model_validate_json(body)
    except ValidationError:
        raise HTTPException(status_code=400, detail="malformed body") from None
    event = Event(
        event_id=uuid4(),
        session_id=callback.verificationSessionId,
        event=callback.event,
        decision=callback.decision,
        review_status=callback.reviewStatus,
        provider_time=callback.timestamp,
    )
    # Returns once Kafka has acknowledged it.
    await broker.publish(event, topic=TOPIC, key=str(event.session_id).encode())
    return {"status": "accepted"}
