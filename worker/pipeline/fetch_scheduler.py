"""Bring what is due to its source's gate, and start it when the gate says so."""

import functools
from collections.abc import Mapping
from typing import Protocol

from worker import clock as clocks
from worker import ledger, model
from worker.pipeline import (
    fetcher,
    poison_pill,
    session_store,
    source_limiter,
    source_runtime,
)


class Partition(Protocol):
    """What starting needs of its partition."""

    clock: clocks.Clock
    memory: session_store.SessionStore
    sources: Mapping[str, source_runtime.SourceRuntime]

    @property
    def paused(self) -> bool:
        """Return whether nothing may start for now."""
        ...

    @property
    def closed(self) -> bool:
        """Return whether nothing starts any more."""
        ...

    @property
    def behind(self) -> bool:
        """Return whether there are events that were there at the start, or are here."""
        ...

    def apply(self, key: model.SessionKey, input_: ledger.Input) -> list[ledger.Effect]:
        """Let the ledger take *input_*."""
        ...


class FetchScheduler:
    """What is due in one partition, from its time to the start of its fetch."""

    def __init__(
        self,
        owner: Partition,
        flights: fetcher.Fetcher,
        watched: poison_pill.PoisonPillGuard,
    ) -> None:
        self._owner = owner
        self._fetching = flights
        self._caution = watched
        #: what waits at its gate
        self._queued: dict[model.SessionKey, source_limiter.Start] = {}

    def start_due(self) -> None:
        """Bring every session that is due by now to its gate."""
        owner = self._owner
        for key in owner.memory.due(owner.clock.now_ms()):
            bound = owner.sources.get(key.source)
            if bound is None or key in self._queued:
                continue
            session = owner.memory.get(key)
            if session is None:
                continue
            if session.unregistered_cause is not None or not bound.rules.fetches:
                owner.apply(key, ledger.TimerFired(owner.behind))
                continue
            start = self._queued[key] = functools.partial(self._start, key)
            bound.gate.submit(start, known=not session.unanswered)

    def no_longer_unanswered(self, key: model.SessionKey) -> None:
        """Let the session leave the queue of the unanswered: it is known, or gone."""
        start = self._queued.get(key)
        if start is None:
            return
        at = self._owner.sources[key.source].gate
        if self._owner.memory.get(key) is None:
            del self._queued[key]
            at.withdraw(start)
        else:
            at.promote(start)

    def _start(self, key: model.SessionKey) -> bool:
        """Start the session's fetch, called by its gate; False where none is due."""
        owner = self._owner
        self._queued.pop(key, None)
        session = owner.memory.get(key)
        if owner.closed or session is None or session.due_at is None:
            return False
        if owner.paused:
            owner.memory.reschedule(key)
            return False
        for effect in owner.apply(key, ledger.FetchStarting()):
            if isinstance(effect, ledger.Fetch):
                self._fetching.start(
                    key,
                    effect.seq,
                    session.provider_session_id,
                    owner.sources[key.source],
                    fresh_since=owner.memory.fresh_since(key, owner.clock.now_ms()),
                    suspect=key in self._caution.suspects,
                )
                return True
        owner.memory.reschedule(key)
        return False
