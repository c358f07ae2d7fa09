"""Say what the pipeline tells the telemetry."""

from typing import Protocol

from worker import ledger, model


class Observer(Protocol):
    """Counts and logs; never raises, never blocks."""

    def decided(self, decision: model.Decision) -> None:
        """Tell of a decision that is committed: its canonical line."""
        ...

    def buried(self, letter: model.DeadLetter) -> None:
        """Tell of a dead letter that is committed."""
        ...

    def noted(self, source: str, kind: ledger.NoteKind) -> None:
        """Tell of what changed nothing."""
        ...

    def reached(self, source: str, step: ledger.Step) -> None:
        """Tell how far a registered session has come."""
        ...

    def alarmed(self, source: str, kind: model.AlarmKind) -> None:
        """Tell a person."""
        ...

    def purged(self, source: str, event_id: str, sessions: int) -> None:
        """Tell how many sessions a purge has ended in this partition."""
        ...

    def fetched(self, source: str, result: str, seconds: float) -> None:
        """Tell how a fetch ended: ``result`` or a FetchError's reason."""
        ...

    def committed(self, records: int, seconds: float) -> None:
        """Tell of a transaction of *records* records."""
        ...
