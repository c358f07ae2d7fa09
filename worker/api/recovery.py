"""Find out what became of the begins that a process has left."""

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence

from worker import cancellation, errors, model, ports
from worker import clock as clocks
from worker.api import pending_writes, requests, service, telemetry, types
from worker.telemetry import logs

# A broker's clock and ours: an event may be older than the begin that caused it.
_SKEW_MS = 60_000
# Replicas that were started together do not all look at the same moment.
_SPREAD = 0.25


class Recovery:
    """Looks again and again; what it finds on several replicas at once does no harm."""

    def __init__(
        self,
        sources: Mapping[str, types.ApiSource],
        *,
        log: ports.BeginLog,
        sink: ports.EventSink,
        history: ports.EventHistory,
        debts: pending_writes.PendingWrites,
        observer: telemetry.ApiTelemetry,
        clock: clocks.Clock,
        times: service.Times,
        interval_ms: int,
        retention_ms: int,
    ) -> None:
        self._sources = sources
        self._log = log
        self._sink = sink
        self._history = history
        self._debts = debts
        self._observer = observer
        self._clock = clock
        self._times = times
        self._interval_ms = interval_ms
        self._retention_ms = retention_ms
        #: attempts that were looked for, and until when
        self._sought: frozenset[str] = frozenset()
        self._searched_until = clocks.LATEST_MS

    async def run(self) -> None:
        """Look at every interval, until cancelled; after any error at the next one."""
        while True:
            try:
                with (
                    contextlib.suppress(errors.TransportError),
                    cancellation.contained(),
                ):
                    await self.run_once()
            except Exception as error:  # noqa: BLE001 -- whatever was read, it goes on
                self._observer.recovery_failed("", type(error).__name__)
            spread = 1 + random.random() * _SPREAD  # noqa: S311 -- no secret
            await self._clock.sleep(self._interval_ms / 1000 * spread)

    async def run_once(self) -> None:
        """
        Settle what can be settled now; raises errors.TransportError.

        What cannot be settled, because of what stands in its event, stops no other.
        """
        now = self._clock.now_ms()
        await self._debts.flush(self._log, self._sink, now)
        unsettled = []
        for intent in self.unresolved():
            number = self._foretold(intent)
            if number is None:
                unsettled.append(intent)
            else:
                await self._settle(intent, *number)
        await self._search(unsettled, now)
        for intent in self.unresolved():
            if now - intent.begun_at >= self._retention_ms:
                await self._log.delete(intent)
                self._observer.begin_expired(intent.source)
        await self._log.refresh_retention()

    def unresolved(self) -> Sequence[model.Intent]:
        """Return the begins whose process must be gone, and left no end."""
        latest = self._clock.now_ms() - self._times.begin - self._times.ack
        return [
            intent
            for intent in self._log.list_open()
            if intent.begun_at <= latest and not self._debts.contains(intent)
        ]

    def _foretold(self, intent: model.Intent) -> tuple[str, str] | None:
        """Return the session id, and the provider's, where it was ours to choose."""
        of = self._sources.get(intent.source)
        number = None if of is None else of.beginner.predict_session_id(intent.begin_id)
        if of is None or number is None:
            return None
        return of.canonical(number) or number, number

    async def _search(self, intents: Sequence[model.Intent], now: int) -> None:
        """Look for the sessions of *intents* among the events, each stretch once."""
        if not intents:
            return
        fresh = [each for each in intents if each.attempt_id not in self._sought]
        since = min([self._searched_until, *(each.begun_at for each in fresh)])
        found = await self._history.find_begin_events(
            {each.key for each in intents}, since - _SKEW_MS
        )
        self._sought = frozenset(each.attempt_id for each in intents)
        self._searched_until = now
        for intent in intents:
            event = found.get(intent.key)
            if event is not None:
                await self._settle(intent, event.session_id, event.provider_session_id)

    async def _settle(
        self, intent: model.Intent, session_id: str, spelling: str
    ) -> None:
        """Register the session and note the end; repeating changes nothing."""
        try:
            await self._register(intent, session_id, spelling)
        except errors.TransportError:
            raise
        except Exception as error:  # noqa: BLE001 -- what others wrote costs no other begin
            self._observer.recovery_failed(intent.source, type(error).__name__)

    async def _register(
        self, intent: model.Intent, session_id: str, spelling: str
    ) -> None:
        end = intent.registered(
            self._clock.now_ms(), session_id=session_id, provider_session_id=spelling
        )
        await self._sink.publish(requests.begin_registered_event(end))
        await self._log.record_outcome(end)
        self._observer.recovered(
            intent.source, logs.session_hash(intent.source, session_id)
        )
        await asyncio.sleep(0)  # a thousand of them leave room for requests
