"""Take the event topic's records to the ledger, or to the dead letters."""

import dataclasses
from collections.abc import Callable, Mapping

from worker import errors, ledger, model, policy, ports
from worker.pipeline import (
    deferred_events,
    hourly_counters,
    poison_pill,
    source_runtime,
    telemetry,
)
from worker.telemetry import log_throttle

#: An alarm a minute is enough, however many events come.
_LATER = errors.UnknownVersion.reason


@dataclasses.dataclass(slots=True, kw_only=True)
class Intake:
    """One partition's intake: nothing that is taken goes nowhere."""

    sources: Mapping[str, source_runtime.SourceRuntime]
    observer: telemetry.WorkerTelemetry
    apply: Callable[[model.SessionKey, ledger.Input], object]
    bury: Callable[[model.DeadLetter], None]
    #: gathers the record of a deferred event, or its tombstone
    write: Callable[[model.SessionKey], None]
    #: ends a source's unanswered sessions; returns whether all have ended
    purge: Callable[[model.Event], bool]
    caution: poison_pill.PoisonPillGuard
    deferred: deferred_events.DeferredEvents
    #: reads a record of the event topic once more
    decode: Callable[[model.UnreadRecord, int], ports.ConsumedEvent]
    #: of alarms: each kind once a minute
    throttle: log_throttle.LogThrottle

    def handle(self, record: ports.ConsumedEvent, now: int) -> bool:
        """
        Take one record; raises nothing.

        Returns False where it is not done with: it is to be taken again, after a
        commit.
        """
        event = record.event
        if event is None:
            self._take_unreadable(record, now)
            return True
        if event.type is model.EventType.PURGE_REQUESTED:
            return self._purge(event, now)
        if event.source in self.sources:
            self.caution.record_started(event.key, record.offset)
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
        self.bury(hourly_counters.undecidable(event, word, now, redrive=False))
        return True

    def handle_deferred(self, now: int) -> None:
        """
        Take what waited and need wait no longer, in the order of offsets, at a start.

        Later events of the same session may have been taken before. That does no harm:
        wake-ups have no order, since each fetches what is true then, signed verdicts
        are ordered by their own times, and registrations and returns count once
        whenever they come.
        """
        for waiting in self.deferred.waiting():
            if isinstance(waiting.what, model.UnreadRecord):
                self._take_unread(waiting.key, waiting.what, waiting.at, now)
            elif waiting.what.source in self.sources:
                self.write(self.deferred.remove(waiting.key))
                self._take_late(waiting.what, now)
        self.expire_deferred(now)

    def _take_unread(
        self, key: str, record: model.UnreadRecord, since: int, now: int
    ) -> None:
        """Take a record that an older release could not read, if this one can."""
        taken = self.decode(record, now)
        if taken.unread is not None:
            return
        self.write(self.deferred.remove(key))
        event = taken.event
        if event is None:
            if taken.letter is not None:
                self.bury(taken.letter)
        elif event.type is model.EventType.PURGE_REQUESTED:
            # It meant the sessions of that time; the operator can repeat it.
            self.bury(hourly_counters.undecidable(event, _LATER, now, redrive=False))
        elif event.source in self.sources:
            self._take_late(event, now)
        else:
            self._defer(event, record.offset, now, since=since)

    def _take_late(self, event: model.Event, now: int) -> None:
        self.caution.suspects.add(event.key)
        self._take(event, now)

    def expire_deferred(self, now: int) -> None:
        """Bury what has waited too long; raise an alarm for what waits on."""
        for waiting in self.deferred.expired(now):
            self.write(self.deferred.remove(waiting.key))
            if isinstance(waiting.what, model.Event):
                self.bury(
                    hourly_counters.undecidable(waiting.what, "unknown_source", now)
                )
            elif letter := self.decode(waiting.what, now).letter:
                self.bury(letter)
        source = self.deferred.any_source()
        if source is not None:
            self._alarm(source, model.AlarmKind.UNKNOWN_SOURCE)
        if self.deferred.unread:
            self._alarm("", model.AlarmKind.UNKNOWN_VERSION)

    def _take_unreadable(self, record: ports.ConsumedEvent, now: int) -> None:
        """Let a record of a later ``schema_version`` wait, bury every other one."""
        letter = record.letter
        if letter is not None and letter.last_error == _LATER:
            self._alarm("", model.AlarmKind.UNKNOWN_VERSION)
        key = None
        if record.unread is not None:
            key = self.deferred.add(record.unread, record.offset, now)
        if key is not None:
            self.write(key)
        elif letter is not None:
            self.bury(letter)

    def _defer(
        self, event: model.Event, offset: int, now: int, since: int | None = None
    ) -> None:
        """Let an event wait for its source, which may be configured any time."""
        self._alarm(event.source, model.AlarmKind.UNKNOWN_SOURCE)
        key = self.deferred.add(event, offset, now if since is None else since)
        if key is None:
            self.bury(hourly_counters.undecidable(event, "unknown_source", now))
        else:
            self.write(key)

    def _alarm(self, source: str, kind: model.AlarmKind) -> None:
        if self.throttle.admits(kind):
            self.observer.alarm(source, kind)

    def _take(self, event: model.Event, now: int) -> None:
        """Take an event of a source that is known, unless it is not that source's."""
        bound = self.sources[event.source]
        if word := _not_of(event, bound.rules):
            self.bury(hourly_counters.undecidable(event, word, now))
            return
        # The provider is asked with its own spelling, and the answer is believed of
        # the session: so the one must be a spelling of the other.
        if bound.provider.canonical(event.provider_session_id) != event.session_id:
            word = "wrong_provider_session_id"
            self.bury(hourly_counters.undecidable(event, word, now, redrive=False))
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
            self.observer.alarm(event.source, model.AlarmKind.QUARANTINED)
            self.bury(hourly_counters.undecidable(event, "quarantined", now))
            return
        self.apply(event.key, ledger.CallbackTaken(event, claim))


def _not_of(event: model.Event, rules: policy.SourcePolicy) -> str | None:
    """Return in what *event* differs from its source, as a dead letter's word."""
    if event.provider != rules.provider:
        return "wrong_provider"
    if event.environment is not rules.environment:
        return "wrong_environment"
    return None
