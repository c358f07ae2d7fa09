"""Run a partition without Kafka: a committer that records, a provider on strings."""

import asyncio
import collections
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from tests.support import clock as clocks
from tests.support import ledger as told
from worker import codec, errors, ledger, model, policy, ports
from worker.pipeline import binding, gate, memory, partition

GATE = gate.Limits(
    concurrency=1_000,
    rate_per_s=None,
    circuit_failures=1_000,
    circuit_open_ms=30_000,
    denied_per_minute=1_000,
)
LIMITS = binding.Limits(drain_ms=20)


class Killed(BaseException):
    """The process ends here, as far as this partition can tell."""


class Ledger:
    """
    Implements ports.Committer: what the topics of one partition hold.

    Refuses a batch that two promises forbid: a second transaction at a time, and
    anything after a failed one.
    """

    def __init__(self) -> None:
        self.batches: list[ports.Batch] = []
        self.records: dict[str, bytes] = {}
        self.position: model.Position | None = None
        #: the transactions that have begun and may not end yet
        self.begun = 0
        self.held = asyncio.Event()
        self.held.set()
        self.error: BaseException | None = None
        self.failed = False
        self._busy = False

    async def commit(self, batch: ports.Batch) -> None:
        """Write *batch*, once it is no longer held; raise ``error`` if that is set."""
        assert not self._busy, "two transactions at a time"
        assert not self.failed, "a transaction after a failed one"
        self._busy = True
        self.begun += 1
        try:
            await self.held.wait()
            if self.error is not None:
                self.failed = True
                raise self.error
        except asyncio.CancelledError:
            self.failed = True
            raise
        finally:
            self._busy = False
        self._write(batch)

    def _write(self, batch: ports.Batch) -> None:
        self.batches.append(batch)
        self.position = batch.position
        for key, session in batch.sessions:
            if session is None:
                self.records.pop(str(key), None)
            else:
                self.records[str(key)] = codec.encode_session(session)

    def session(self, key: model.SessionKey = told.KEY) -> ledger.Session | None:
        """Return what is committed of a session."""
        value = self.records.get(str(key))
        return None if value is None else codec.read_session(value)

    @property
    def decisions(self) -> list[model.Decision]:
        """Return every decision that is committed."""
        return [d for batch in self.batches for d in batch.decisions]

    @property
    def letters(self) -> list[model.DeadLetter]:
        """Return every dead letter that is committed."""
        return [d for batch in self.batches for d in batch.dead_letters]

    def outcomes(self, key: model.SessionKey = told.KEY) -> list[str]:
        """Return the outcomes of a session's committed decisions."""
        return [d.verdict.outcome for d in self.decisions if d.key == key]

    def heir(self) -> "Ledger":
        """Return what a new owner finds: the same records, whatever became of us."""
        heir = Ledger()
        heir.records, heir.position = dict(self.records), self.position
        heir.batches = list(self.batches)
        return heir


Brought = model.Verdict | BaseException


class Provider:
    """Implements ports.Provider: each fetch waits until the test lets it end."""

    def __init__(self) -> None:
        self.asked: collections.Counter[str] = collections.Counter()
        self.flying: dict[str, asyncio.Future[Brought]] = {}
        self.most_flying = 0
        self.instant: Brought | None = None
        self.claims: dict[str, model.Claim | Exception] = {}
        #: sessions whose mapping ends the process
        self.deadly: set[str] = set()
        self.mapped: list[str] = []

    def canonical(self, spelling: object) -> str | None:
        """Return the session id of a spelling."""
        return spelling.lower() if isinstance(spelling, str) else None

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """Do nothing: the ingress is not here."""
        raise NotImplementedError

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return what the test said that the event claims."""
        claim = self.claims.get(event.event_id)
        if isinstance(claim, Exception):
            raise claim
        return claim

    async def fetch(self, session: model.SessionKey, spelling: str) -> model.Answer:
        """Wait for the test to say what the answer is."""
        assert spelling == session.session_id.upper()
        self.asked[session.session_id] += 1
        brought = self.instant
        if brought is None:
            future = asyncio.get_running_loop().create_future()
            self.flying[session.session_id] = future
            self.most_flying = max(self.most_flying, len(self.flying))
            try:
                brought = await future
            finally:
                del self.flying[session.session_id]
        if isinstance(brought, errors.FetchError):
            raise brought
        return model.Answer(document=brought, observed_at=told.START)

    def bring(self, brought: Brought, session_id: str = told.KEY.session_id) -> None:
        """Let a fetch bring a verdict, an error, or what crashes its mapping."""
        self.flying[session_id].set_result(brought)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.Answer
    ) -> model.Result:
        """Return the verdict that is the answer, or raise the exception that it is."""
        del spelling
        if session.session_id in self.deadly:
            raise Killed
        self.mapped.append(session.session_id)
        if isinstance(answer.document, BaseException):
            raise answer.document
        return told.result(answer.document)

    async def close(self) -> None:
        """Do nothing."""


class Watch:
    """Implements observer.Observer: keeps what it is told."""

    def __init__(self) -> None:
        self.decisions: list[model.Decision] = []
        self.letters: list[model.DeadLetter] = []
        self.notes: list[ledger.NoteKind] = []
        self.alarms: list[model.AlarmKind] = []
        self.results: list[str] = []
        self.commits = 0

    def decided(self, decision: model.Decision) -> None:
        """Keep a decision."""
        self.decisions.append(decision)

    def buried(self, letter: model.DeadLetter) -> None:
        """Keep a dead letter."""
        self.letters.append(letter)

    def noted(self, source: str, kind: ledger.NoteKind) -> None:
        """Keep what changed nothing."""
        del source
        self.notes.append(kind)

    def alarmed(self, source: str, kind: model.AlarmKind) -> None:
        """Keep an alarm."""
        del source
        self.alarms.append(kind)

    def fetched(self, source: str, result: str, seconds: float) -> None:
        """Keep how a fetch ended."""
        del source, seconds
        self.results.append(result)

    def committed(self, records: int, seconds: float) -> None:
        """Count a transaction."""
        del records, seconds
        self.commits += 1


@dataclasses.dataclass(kw_only=True)
class Rig:
    """One process with one partition at work, and what is around it."""

    clock: clocks.ManualClock = dataclasses.field(default_factory=clocks.ManualClock)
    provider: Provider = dataclasses.field(default_factory=Provider)
    others: Mapping[str, Provider] = dataclasses.field(default_factory=dict)
    ledger: Ledger = dataclasses.field(default_factory=Ledger)
    watch: Watch = dataclasses.field(default_factory=Watch)
    rules: policy.Rules = told.FETCHED
    gate_limits: gate.Limits = GATE
    limits: binding.Limits = LIMITS
    end_offset: int = 0
    recheck_open: bool = False
    crash_lock: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)
    offsets: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Build the partition over what the ledger holds."""
        providers = {told.KEY.source: self.provider, **self.others}
        self.sources = {
            name: binding.Binding(
                provider=provider,
                rules=self.rules,
                gate=gate.Gate(self.gate_limits, self.clock),
            )
            for name, provider in providers.items()
        }
        sessions = memory.Memory()
        for key, value in self.ledger.records.items():
            sessions.load(key, value)
        self.partition = partition.Partition(
            committer=self.ledger,
            sources=self.sources,
            clock=self.clock,
            watch=self.watch,
            limits=self.limits,
            crash_lock=self.crash_lock,
            sessions=sessions,
            position=self.ledger.position or model.Position(next_offset=0),
            end_offset=self.end_offset,
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
                records.append(ports.Taken(offset, one))
            else:
                records.append(ports.Taken(offset, None, one))
        self.partition.offer(records)

    async def bring(
        self, brought: Brought, session_id: str = told.KEY.session_id
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
            crash_lock=asyncio.Lock(),
            end_offset=end_offset,
            recheck_open=recheck_open,
            offsets=itertools.count(position.next_offset),
        )


def key(number: int, source: str = told.KEY.source) -> model.SessionKey:
    """Return the key of one of many sessions."""
    return model.SessionKey(source, f"tx-{number}")


def event(number: int = 1, source: str = told.KEY.source) -> model.Event:
    """Return a callback of one of many sessions."""
    return told.event(key=key(number, source))
