"""Make the events that tell the worker of sessions."""

from worker import codec, model
from worker.api import asked, source


def elsewhere(
    of: source.ApiSource, wanted: asked.Registration, now: int
) -> model.Event:
    """Return the event of a session that was begun elsewhere, at *now* (ms)."""
    return model.Event(
        event_id=model.new_id(),
        type=model.EventType.SESSION_REGISTERED,
        environment=of.environment,
        source=of.name,
        provider=of.provider,
        session_id=wanted.session_id,
        provider_session_id=wanted.provider_session_id,
        received_at=now,
        reference=wanted.reference,
        expires_at=wanted.expires_at,
        traceparent=codec.new_traceparent(),
    )


def begun_here(end: model.Intent) -> model.Event:
    """
    Return the event that tells the worker of the session that *end* has registered.

    The same for whoever publishes it, and however often.
    """
    if end.session_id is None or end.provider_session_id is None:
        raise ValueError("no session is registered")
    place = f"kyc:registered:{end.key}:{end.session_id}"
    return model.Event(
        event_id=model.named_id(place),
        type=model.EventType.SESSION_REGISTERED,
        environment=end.environment,
        source=end.source,
        provider=end.provider,
        session_id=end.session_id,
        provider_session_id=end.provider_session_id,
        received_at=end.begun_at if end.ended_at is None else end.ended_at,
        reference=end.reference,
        begin_id=end.begin_id,
        expires_at=end.expires_at,
        traceparent=codec.new_traceparent(),
    )
