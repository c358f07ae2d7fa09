"""Take the event topic's records to the ledger, or to the dead letters."""

import dataclasses
from collections.abc import Callable, Mapping

from worker import ledger, model, policy, ports
from worker.pipeline import binding, caution, deferred, observer, summaries

#: An alarm a minute is enough, however many events come.
_ALARM_EACH_MS = 60_000


@dataclasses.dataclass(slots=True, kw_only=True)
class Intake:
    """One partition's intake: nothing that is taken goes nowhere."""

    sources: Mapping[str, binding.Binding]
    watch: observer.Observer
    apply: Callable[[model.SessionKey, ledger.Input], object]
    bury: Callable[[model.DeadLetter], None]
    #: gathers the record of a deferred event, or its tombstone
    write: Callable[[model.SessionKey], None]
    #: ends a source's unanswered sessions; returns whether all have ended
    purge: Callable[[model.Event], bool]
    caution: caution.Caution
    deferred: deferred.Deferred
    _alarmed_at: int | None = None

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
        if event.type is model.EventType.PURGE_REQUESTED:
            return self._purge(event, now)
        if event.source in self.sources:
            self.caution.took(event.key, record.offset)
            self._take(event, now)
        else:
            self._defer(event, record.offset, now)
        return True

    def _purge(self, event: model.Event, now: int) -> bool:
        """End a source's unanswered sessions; return whether that is done."""
        bound = self.sources.get(event.source)
        # One of an unknown source does not wait: nothing of it could be purged later.
        word = "unknown_source" if bound is None else _not_of(event, bound.rules)
        if word is None:
            return self.purge(event)
        self.bury(summaries.undecidable(event, word, now, redrive=False))
        return True

    def take_deferred(self, now: int) -> None:
        """Take what waited for its source and need wait no longer, once at a start."""
        for key, event in self.deferred.take_known(self.sources):
            self.write(key)
            self.caution.suspects.add(event.key)
            self._take(event, now)
        self._remind(now)

    def sweep_deferred(self, now: int) -> None:
        """Bury what has waited too long for its source; tell of what waits on."""
        for key, event in self.deferred.take_expired(now):
            self.write(key)
            self.bury(summaries.undecidable(event, "unknown_source", now))
        self._remind(now)

    def _remind(self, now: int) -> None:
        source = self.deferred.any_source()
        if source is not None:
            self._alarm(source, now)

    def _defer(self, event: model.Event, offset: int, now: int) -> None:
        """Let an event wait for its source, which may be configured any time."""
        self._alarm(event.source, now)
        key = self.deferred.add(event, offset, now)
        if key is None:
            self.bury(summaries.undecidable(event, "unknown_source", now))
        else:
            self.write(key)

    def _alarm(self, source: str, now: int) -> None:
        last = self._alarmed_at
        if last is None or not 0 <= now - last < _ALARM_EACH_MS:
            self._alarmed_at = now
            self.watch.alarmed(source, model.AlarmKind.UNKNOWN_SOURCE)

    def _take(self, event: model.Event, now: int) -> None:
        """Take an event of a source that is known, unless it is not that source's."""
        bound = self.sources[event.source]
        if word := _not_of(event, bound.rules):
            self.bury(summaries.undecidable(event, word, now))
            return
        # The provider is asked with its own spelling, and the answer is believed of
        # the session: so the one must be a spelling of the other.
        if bound.provider.canonical(event.provider_session_id) != event.session_id:
            word = "wrong_provider_session_id"
            self.bury(summaries.undecidable(event, word, now, redrive=False))
            return
        match event.type:
            case model.EventType.CALLBACK_RECEIVED:
                self._take_callback(event, bound.provider, now)
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


def _not_of(event: model.Event, rules: policy.Rules) -> str | None:
    """Return in what *event* differs from its source, as a dead letter's word."""
    if event.provider != rules.provider:
        return "wrong_provider"
    if event.environment is not rules.environment:
        return "wrong_environment"
    return None
