"""Stand around a partition: topics that are remembered, a provider, a observer."""

import asyncio
import collections

from tests.support import inputs
from worker import clock as clocks
from worker import codec, errors, ledger, model, ports
from worker.pipeline import telemetry
from worker.telemetry import metrics


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
        for key, value in batch.sessions:
            if value is None:
                self.records.pop(str(key), None)
            else:
                self.records[str(key)] = value

    def session(self, key: model.SessionKey = inputs.KEY) -> ledger.Session | None:
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

    def outcomes(self, key: model.SessionKey = inputs.KEY) -> list[str]:
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
        #: what the latest answer of each session may not be older than
        self.fresh_since: dict[str, int | None] = {}

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

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Wait for the test to say what the answer is."""
        self.fresh_since[session.session_id] = fresh_since
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
        return model.ProviderResponse(document=brought, observed_at=inputs.START)

    def bring(self, brought: Brought, session_id: str = inputs.KEY.session_id) -> None:
        """Let a fetch bring a verdict, an error, or what crashes its mapping."""
        self.flying[session_id].set_result(brought)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """Return the verdict that is the answer, or raise the exception that it is."""
        del spelling
        if session.session_id in self.deadly:
            raise Killed
        self.mapped.append(session.session_id)
        if isinstance(answer.document, BaseException):
            raise answer.document
        return inputs.result(answer.document)

    async def close(self) -> None:
        """Do nothing."""


class Telemetry(telemetry.WorkerTelemetry):
    """Records what happens in a partition."""

    def __init__(self) -> None:
        self.counters = metrics.Metrics([inputs.KEY.source])
        super().__init__(self.counters, clocks.SystemClock())
        self.decisions: list[model.Decision] = []
        self.letters: list[model.DeadLetter] = []
        self.notes: list[ledger.CounterKind] = []
        self.steps: list[ledger.Milestone] = []
        self.alarms: list[model.AlarmKind] = []
        self.purges: list[int] = []
        self.results: list[str] = []
        self.commits: list[tuple[int, float]] = []
        self.seconds: list[float] = []

    def decided(self, decision: model.Decision) -> None:
        """Keep a decision."""
        self.decisions.append(decision)

    def dead_lettered(self, letter: model.DeadLetter) -> None:
        """Keep a dead letter."""
        self.letters.append(letter)

    def session_event(self, source: str, kind: ledger.CounterKind) -> None:
        """Keep what changed nothing."""
        del source
        self.notes.append(kind)

    def milestone(self, source: str, step: ledger.Milestone) -> None:
        """Keep how far a registered session has come."""
        del source
        self.steps.append(step)

    def alarm(self, source: str, kind: model.AlarmKind) -> None:
        """Keep an alarm."""
        del source
        self.alarms.append(kind)

    def purged(self, source: str, event_id: str, sessions: int) -> None:
        """Keep how many sessions a purge has ended."""
        del source, event_id
        self.purges.append(sessions)

    def fetched(self, source: str, result: str, seconds: float) -> None:
        """Keep how a fetch ended."""
        del source
        self.results.append(result)
        self.seconds.append(seconds)

    def committed(self, records: int, seconds: float) -> None:
        """Keep the size and the time of a transaction."""
        self.commits.append((records, seconds))
