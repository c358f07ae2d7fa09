"""Take the event topic's records to the ledger, or to the dead letters."""

import dataclasses
from collections.abc import Callable, Mapping

from worker import ledger, model, ports
from worker.pipeline import binding, caution, observer, summaries


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One partition's intake: nothing that is taken goes nowhere."""

    sources: Mapping[str, binding.Binding]
    watch: observer.Observer
    apply: Callable[[model.SessionKey, ledger.Input], object]
    bury: Callable[[model.DeadLetter], None]
    #: ends a source's unanswered sessions; returns whether all have ended
    purge: Callable[[model.Event], bool]
    caution: caution.Caution

    def take(self, record: ports.Taken, now: int) -> bool:
        """
        Take one record; raises nothing.

        Returns False where it is not done with: it is to be taken again, after a
        commit.
        """
        event = record.event
        if event is None:
            if record.letter is not None:
                self.bury(record.letter)
            return True
        bound = self.sources.get(event.source)
        if bound is None:
            self.watch.alarmed(event.source, model.AlarmKind.UNKNOWN_SOURCE)
            self.bury(summaries.undecidable(event, "unknown_source", now))
            return True
        if event.type is model.EventType.PURGE_REQUESTED:
            return self.purge(event)
        self._take_of_session(event, bound.provider, record.offset, now)
        return True

    def _take_of_session(
        self, event: model.Event, provider: ports.Provider, offset: int, now: int
    ) -> None:
        self.caution.took(event.key, offset)
        match event.type:
            case model.EventType.CALLBACK_RECEIVED:
                self._take_callback(event, provider, now)
            case model.EventType.RECHECK_REQUESTED:
                self.apply(event.key, ledger.RecheckTaken(event))
            case model.EventType.SESSION_REGISTERED:
                self.apply(event.key, ledger.RegistrationTaken(event))
            case model.EventType.SESSION_RETURNED:
                self.apply(event.key, ledger.ReturnTaken(event))
            case model.EventType.PURGE_REQUESTED:  # of no session: see ``take``
                pass

    def _take_callback(
        self, event: model.Event, provider: ports.Provider, now: int
    ) -> None:
        try:
            claim = provider.claim(event)
        except Exception:  # noqa: BLE001 -- whatever it is, the event is quarantined
            self.watch.alarmed(event.source, model.AlarmKind.QUARANTINED)
            self.bury(summaries.undecidable(event, "quarantined", now))
            return
        self.apply(event.key, ledger.CallbackTaken(event, claim))
