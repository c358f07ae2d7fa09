"""Run a partition without Kafka, on a clock that is moved by hand."""

import asyncio
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from tests.support import clock as clocks
from tests.support import fakes, inputs
from worker import model, policy, ports
from worker.kafka import event_decoder
from worker.pipeline import (
    poison_pill,
    processor,
    session_store,
    source_limiter,
    source_runtime,
)

#: of the topic, as far as a record of a later version says where it stood
PARTITIONS = 1
GATE = source_limiter.Limits(
    concurrency=1_000,
    rate_per_s=None,
    circuit_failure_threshold=1_000,
    circuit_open_for_ms=30_000,
    denied_per_minute=1_000,
)
#: with an intent window as short as the other one, so that tests wait for one of them
LIMITS = source_runtime.Limits(drain_ms=20, intent_ms=5)


@dataclasses.dataclass(kw_only=True)
class Rig:
    """One process with one partition at work, and what is around it."""

    clock: clocks.ManualClock = dataclasses.field(default_factory=clocks.ManualClock)
    provider: fakes.Provider = dataclasses.field(default_factory=fakes.Provider)
    others: Mapping[str, fakes.Provider] = dataclasses.field(default_factory=dict)
    ledger: fakes.Ledger = dataclasses.field(default_factory=fakes.Ledger)
    observer: fakes.Telemetry = dataclasses.field(default_factory=fakes.Telemetry)
    rules: policy.SourcePolicy = inputs.FETCHED
    gate_limits: source_limiter.Limits = GATE
    limits: source_runtime.Limits = LIMITS
    end_offset: int = 0
    recheck_open: bool = False
    interrogation: poison_pill.PoisonPillRegistry = dataclasses.field(
        default_factory=poison_pill.PoisonPillRegistry
    )
    offsets: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Build the partition over what the ledger holds."""
        providers = {inputs.KEY.source: self.provider, **self.others}
        self.sources = {
            name: source_runtime.SourceRuntime(
                provider=provider,
                rules=self.rules,
                gate=source_limiter.SourceLimiter(self.gate_limits, self.clock),
            )
            for name, provider in providers.items()
        }
        sessions = session_store.SessionStore()
        for key, value in self.ledger.records.items():
            sessions.load(key, value)
        self.partition = processor.PartitionProcessor(
            committer=self.ledger,
            sources=self.sources,
            clock=self.clock,
            observer=self.observer,
            limits=self.limits,
            interrogation=self.interrogation,
            number=0,
            sessions=sessions,
            position=self.ledger.position or model.Position(next_offset=0),
            end_offset=self.end_offset,
            decode=self.decode,
            recheck_open=self.recheck_open,
        )
        self.running = asyncio.create_task(self.partition.run())

    async def __aenter__(self) -> Self:
        """Let the partition start."""
        await clocks.turns()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Throw the partition away, as after any failure."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.partition.close()
        for bound in self.sources.values():
            await bound.gate.close()

    async def take(self, *taken: model.Event | model.DeadLetter) -> None:
        """Take records of the topic, from the next offset on, and let time stand."""
        self.offer(taken)
        await clocks.turns()

    def offer(self, taken: Iterable[model.Event | model.DeadLetter]) -> None:
        """Offer records of the topic, from the next offset on."""
        records = []
        for one in taken:
            offset = next(self.offsets)
            if isinstance(one, model.Event):
                records.append(ports.ConsumedEvent(offset, one))
            else:
                records.append(ports.ConsumedEvent(offset, None, one))
        self.partition.offer(records)

    def decode(self, record: model.UnreadRecord, now: int) -> ports.ConsumedEvent:
        """Read *record* as the transport does."""
        return event_decoder.decode_event(record, now, PARTITIONS)

    async def bring(
        self, brought: fakes.Brought, session_id: str = inputs.KEY.session_id
    ) -> None:
        """Let a fetch in flight bring something, and let time stand."""
        self.provider.bring(brought, session_id)
        await clocks.turns()

    async def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.clock.advance(milliseconds)
        await clocks.turns()

    async def gathered(self) -> None:
        """Let the time pass that a commit gathers for."""
        await self.wait(self.limits.gather_ms)

    def again(self, *, end_offset: int = 0, recheck_open: bool = False) -> "Rig":
        """Return the next owner's rig, over what is committed, at that place."""
        position = self.ledger.position or model.Position(next_offset=0)
        return dataclasses.replace(
            self,
            ledger=self.ledger.heir(),
            interrogation=poison_pill.PoisonPillRegistry(),
            end_offset=end_offset,
            recheck_open=recheck_open,
            offsets=itertools.count(position.next_offset),
        )


def key(number: int, source: str = inputs.KEY.source) -> model.SessionKey:
    """Return the key of one of many sessions."""
    return model.SessionKey(source, f"tx-{number}")


def event(number: int = 1, source: str = inputs.KEY.source) -> model.Event:
    """Return a callback of one of many sessions."""
    return inputs.event(key=key(number, source))


def registered(number: int, source: str = inputs.KEY.source) -> model.Event:
    """Return the registration of one of many sessions."""
    return inputs.event(model.EventType.SESSION_REGISTERED, key=key(number, source))


def purge(source: str = inputs.KEY.source) -> model.Event:
    """Return the command that ends a source's unanswered sessions."""
    kind = model.EventType.PURGE_REQUESTED
    return inputs.event(kind, key=model.SessionKey(source, "purge-1"))
