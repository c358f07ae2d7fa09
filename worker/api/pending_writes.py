"""Keep what could not be written to Kafka in time, until it is written."""

from worker import model, ports

# A record that was given up may be written all the same, but not much later.
_LATE_MS = 120_000


class PendingWrites:
    """
    What this process knows of begins and Kafka does not; in memory only.

    What a process takes with it when it dies, the recovery of another finds out as
    far as it can.
    """

    def __init__(self) -> None:
        self._ends: dict[str, tuple[model.Intent, model.Event | None]] = {}
        self._uncalled: dict[str, model.Intent] = {}

    def __len__(self) -> int:
        return len(self._ends) + len(self._uncalled)

    def end(self, intent: model.Intent, event: model.Event | None = None) -> None:
        """Owe the end *intent*, after *event*, if there is one."""
        self._ends[intent.attempt_id] = (intent, event)

    def never_called(self, intent: model.Intent) -> None:
        """Owe the end of *intent*, of which nothing came, should it be written."""
        self._uncalled[intent.attempt_id] = intent

    def contains(self, intent: model.Intent) -> bool:
        """Return whether this process will yet say how *intent* ended."""
        return intent.attempt_id in self._ends or intent.attempt_id in self._uncalled

    async def flush(self, log: ports.BeginLog, sink: ports.EventSink, now: int) -> None:
        """Tell Kafka all that is owed; raises errors.KafkaUnavailable, and keeps it."""
        for attempt, (end, event) in list(self._ends.items()):
            if event is not None:
                await sink.publish(event)
            await log.record_outcome(end)
            self._ends.pop(attempt, None)
        for attempt, intent in list(self._uncalled.items()):
            standing = log.current(intent.key)
            if standing is not None and standing.attempt_id == attempt:
                await log.record_outcome(intent.failed(now))
            elif now - intent.begun_at < _LATE_MS:
                continue  # it may be on its way
            self._uncalled.pop(attempt, None)
