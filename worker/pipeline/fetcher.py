"""Run a partition's fetches, and map what they bring."""

import asyncio
import functools
from typing import Protocol

from worker import cancellation, errors, ledger, model, ports
from worker import clock as clocks
from worker.pipeline import poison_pill, source_limiter, source_runtime, telemetry

_SOURCE_FAILED = frozenset(
    {
        errors.ProviderUnreachable.reason,
        errors.ProviderTimeout.reason,
        errors.ProviderFault.reason,
        errors.InvalidResponse.reason,
    }
)


class Partition(Protocol):
    """What fetching needs of its partition."""

    clock: clocks.Clock
    observer: telemetry.WorkerTelemetry

    @property
    def cautious(self) -> bool:
        """Return whether an answer may be one that kills the process."""
        ...

    def apply(self, key: model.SessionKey, input_: ledger.Input) -> object:
        """Let the ledger take *input_*."""
        ...

    async def flush(self) -> None:
        """Return once everything up to now is committed."""
        ...

    def on_crash(self, error: BaseException) -> None:
        """Let the partition end with *error*."""
        ...

    def on_fetch_done(self, key: model.SessionKey) -> None:
        """Take note that the session's fetch has ended."""
        ...


class _Slot:
    """The place of one fetch in its source's gate, given back exactly once."""

    __slots__ = ("_gate",)

    def __init__(self, of: source_limiter.SourceLimiter) -> None:
        self._gate: source_limiter.SourceLimiter | None = of

    def give_back(
        self,
        *,
        failed: bool = False,
        conclusive: bool = False,
        retry_after_ms: int | None = None,
    ) -> None:
        """Tell the gate how the fetch ended; later calls say nothing."""
        held, self._gate = self._gate, None
        if held is not None:
            held.finish(
                failed=failed, conclusive=conclusive, retry_after_ms=retry_after_ms
            )


class Fetcher:
    """The fetches of one partition that are in flight."""

    def __init__(
        self, owner: Partition, interrogation: poison_pill.PoisonPillRegistry
    ) -> None:
        self._owner = owner
        #: one for the process: a result that kills it must be the only suspect
        self._interrogation = interrogation
        self._tasks: dict[asyncio.Task[None], int] = {}

    def start(
        self,
        key: model.SessionKey,
        seq: int,
        spelling: str,
        bound: source_runtime.SourceRuntime,
        *,
        fresh_since: int | None = None,
        suspect: bool,
    ) -> None:
        """
        Start fetch *seq* of the session; what it brings goes to the ledger.

        *fresh_since*: what the provider was asked before it is no answer.
        """
        slot = _Slot(bound.gate)
        flight = self._run_fetch(
            key, seq, spelling, bound, slot, fresh_since=fresh_since, suspect=suspect
        )
        task = asyncio.create_task(flight)
        self._tasks[task] = self._owner.clock.now_ms()
        task.add_done_callback(functools.partial(self._forget, slot))

    def _forget(self, slot: _Slot, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        # A task that is cancelled before its first step runs no line of its own.
        slot.give_back()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._owner.on_crash(error)

    def any_younger(self, than_ms: int) -> bool:
        """Return whether a fetch in flight has started after *than_ms*."""
        return bool(self._tasks) and next(reversed(self._tasks.values())) > than_ms

    async def wait(self, timeout_s: float) -> None:
        """Give what is in flight up to *timeout_s* to come back."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)

    async def close(self) -> None:
        """Cancel what is in flight."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_fetch(
        self,
        key: model.SessionKey,
        seq: int,
        spelling: str,
        bound: source_runtime.SourceRuntime,
        slot: _Slot,
        *,
        fresh_since: int | None,
        suspect: bool,
    ) -> None:
        cautiously = (
            suspect and self._owner.cautious and not self._interrogation.is_cleared(key)
        )
        try:
            _check_spelling(key, spelling, bound.provider)
            answer = await self._fetch(
                key, spelling, bound, slot, fresh_since=fresh_since, keep=cautiously
            )
            if cautiously:
                await self._map_cautiously(key, seq, spelling, bound.provider, answer)
                slot.give_back(conclusive=True)
            else:
                input_ = _interpret(key, seq, spelling, bound.provider, answer)
                self._owner.apply(key, input_)
        except errors.FetchError as error:
            failure = ledger.Failure.of(error)
            self._owner.apply(key, ledger.FetchFailed(seq, failure))
        # Before the partition looks: no commit waits for a fetch that is back.
        task = asyncio.current_task()
        if task is not None:
            self._tasks.pop(task, None)
        self._owner.on_fetch_done(key)

    async def _fetch(
        self,
        key: model.SessionKey,
        spelling: str,
        bound: source_runtime.SourceRuntime,
        slot: _Slot,
        *,
        fresh_since: int | None,
        keep: bool,
    ) -> model.ProviderResponse:
        """
        Fetch, and tell the gate and the metrics how it went.

        With *keep* an answer keeps its place at the gate: it has to wait to be mapped,
        and no more answers may wait than fetches may run.
        """
        begun = self._owner.clock.now_ms()
        failed, conclusive, word = False, False, "cancelled"
        retry_after: int | None = None
        try:
            with cancellation.contained():
                answer = await bound.provider.fetch(
                    key, spelling, fresh_since=fresh_since
                )
            conclusive, word = True, "success"
        except errors.FetchError as error:
            word, retry_after = error.reason, error.retry_after_ms
            failed = word in _SOURCE_FAILED
            conclusive = word != errors.RateLimited.reason
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is quarantined
            word = errors.MappingCrashed.reason
            raise errors.MappingCrashed(type(error).__name__) from None
        finally:
            if not keep or word != "success":
                slot.give_back(
                    failed=failed, conclusive=conclusive, retry_after_ms=retry_after
                )
            seconds = (self._owner.clock.now_ms() - begun) / 1000
            self._owner.observer.fetched(key.source, word, seconds)
        return answer

    async def _map_cautiously(
        self,
        key: model.SessionKey,
        seq: int,
        spelling: str,
        provider: ports.Provider,
        answer: model.ProviderResponse,
    ) -> None:
        """
        Map one answer at a time in this process, with the attempt committed first.

        A result that kills the process is so counted each time, and nothing else is.
        """
        async with self._interrogation.lock:
            effects = self._owner.apply(key, ledger.InterpretStarting(seq))
            await self._owner.flush()
            if not effects:
                input_ = _interpret(key, seq, spelling, provider, answer, counted=True)
                self._interrogation.survived(key)
                self._owner.apply(key, input_)
                await self._owner.flush()


def _check_spelling(
    key: model.SessionKey, spelling: str, provider: ports.Provider
) -> None:
    """
    Raise errors.ResultMismatch where *spelling* is not the session's.

    As at intake: the ledger of an older release may hold another session's.
    """
    if provider.canonical(spelling) != key.session_id:
        raise errors.ResultMismatch("spelling")


def _interpret(
    key: model.SessionKey,
    seq: int,
    spelling: str,
    provider: ports.Provider,
    answer: model.ProviderResponse,
    *,
    counted: bool = False,
) -> ledger.Input:
    """Map an answer; an exception that no adapter should raise is a crash of it."""
    try:
        return ledger.FetchSucceeded(seq, provider.interpret(key, spelling, answer))
    except errors.FetchError as error:
        return ledger.FetchFailed(seq, ledger.Failure.of(error), counted)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is quarantined
        crashed = errors.MappingCrashed(type(error).__name__)
        return ledger.FetchFailed(seq, ledger.Failure.of(crashed), counted)
