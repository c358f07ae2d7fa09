"""Count the sessions that end unseen, and sum them up once an hour."""

from worker import model

_HOUR_MS = 3_600_000


_DENIED = model.DeadLetterReason.DENIED_SESSIONS
_UNKNOWN = model.DeadLetterReason.UNKNOWN_SESSIONS


class HourlyCounters:
    """A partition's counts, by reason, source and hour; kept beside its position."""

    def __init__(self, position: model.Position) -> None:
        self._counts = {
            (reason, source, hour): count
            for reason, counts in (
                (_DENIED, position.denied),
                (_UNKNOWN, position.unknown),
            )
            for source, hour, count in counts
        }

    def counts(
        self, reason: model.DeadLetterReason
    ) -> tuple[tuple[str, int, int], ...]:
        """Return what is not summed up yet of *reason*."""
        if not self._counts:
            return ()
        return tuple(
            (source, hour, n)
            for (why, source, hour), n in self._counts.items()
            if why is reason
        )

    def count(self, reason: model.DeadLetterReason, source: str, now: int) -> None:
        """Count one session that ended unseen: denied, or never registered."""
        place = (reason, source, now - now % _HOUR_MS)
        self._counts[place] = self._counts.get(place, 0) + 1

    def completed(self, now: int) -> list[model.DeadLetter]:
        """Take the summaries of the hours that are over."""
        over = [place for place in self._counts if place[2] + _HOUR_MS <= now]
        return [self._letter(*place, self._counts.pop(place), now) for place in over]

    def _letter(
        self,
        reason: model.DeadLetterReason,
        source: str,
        hour: int,
        count: int,
        now: int,
    ) -> model.DeadLetter:
        return model.DeadLetter(
            dead_letter_id=model.random_id(),
            reason=reason,
            source=source,
            session_id=None,
            event_id=None,
            attempts=0,
            first_seen_at=hour,
            last_error="no_such_session" if reason is _DENIED else None,
            at=now,
            count=count,
        )


def undecidable(
    event: model.Event, last_error: str, now: int, *, redrive: bool = True
) -> model.DeadLetter:
    """
    Return the dead letter of an event that no source's table can take.

    *redrive* is False where the event itself is wrong, and stays so.
    """
    return model.DeadLetter(
        dead_letter_id=model.deterministic_id(f"kyc:dlq:{event.event_id}"),
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
        redrive=model.redrive_command(event.key) if redrive else None,
    )
