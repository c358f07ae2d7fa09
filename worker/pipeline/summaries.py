"""Count the sessions that end unseen, and sum them up once an hour."""

import uuid

from worker import model

_HOUR_MS = 3_600_000


class Summaries:
    """The counts of a partition, by source and hour; kept beside its position."""

    def __init__(self, counts: tuple[tuple[str, int, int], ...]) -> None:
        self._counts = {(source, hour): count for source, hour, count in counts}

    @property
    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """Return what is not summed up yet."""
        return tuple((source, hour, n) for (source, hour), n in self._counts.items())

    def count(self, source: str, now: int) -> None:
        """Count one session that ended because its provider denies it."""
        place = (source, now - now % _HOUR_MS)
        self._counts[place] = self._counts.get(place, 0) + 1

    def ripe(self, now: int) -> list[model.DeadLetter]:
        """Take the summaries of the hours that are over."""
        over = [p for p in self._counts if p[1] + _HOUR_MS <= now]
        return [self._letter(*place, self._counts.pop(place), now) for place in over]

    def _letter(self, source: str, hour: int, count: int, now: int) -> model.DeadLetter:
        return model.DeadLetter(
            dead_letter_id=str(uuid.uuid4()),
            reason=model.DeadLetterReason.DENIED_SESSIONS,
            source=source,
            session_id=None,
            event_id=None,
            attempts=0,
            first_seen_at=hour,
            last_error="no_such_session",
            at=now,
            count=count,
        )


def undecidable(event: model.Event, last_error: str, now: int) -> model.DeadLetter:
    """Return the dead letter of an event that no source's table can take."""
    return model.DeadLetter(
        dead_letter_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"kyc:dlq:{event.event_id}")),
        reason=(
            model.DeadLetterReason.QUARANTINED
            if last_error == "quarantined"
            else model.DeadLetterReason.UNMAPPABLE
        ),
        environment=event.environment,
        source=event.source,
        session_id=event.session_id,
        event_id=event.event_id,
        attempts=1,
        first_seen_at=event.received_at,
        last_error=last_error,
        at=now,
        redrive=(
            f"kyc-worker dlq redrive --source {event.source} "
            f"--session {event.session_id}"
        ),
    )
