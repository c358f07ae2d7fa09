"""Play every case, follow what comes of it, and compare."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Mapping, Sequence

from worker import clock as clocks
from worker import model, providers
from worker.devkit import simulators
from worker.devkit.dev import callbacks, cases, decision_stream, session_starts
from worker.devkit.dev import environment as staging

# More than the first recheck of a pending session, and than the interval after
# which a repeat is looked at again: whatever is too much has come by then.
_QUIET_S = 2.5
_LIMIT_S = 60.0  # it matters only where something is stuck
_POLL_S = 0.05


@dataclasses.dataclass(slots=True, kw_only=True)
class ScenarioResult:
    """A case and what was seen of it; times in milliseconds."""

    case: cases.Case
    #: None until it is begun
    key: model.SessionKey | None
    truth: simulators.Truth | None = None
    began_at: int = 0
    answers: list[int] = dataclasses.field(default_factory=list)
    decisions: list[model.Decision] = dataclasses.field(default_factory=list)

    @property
    def steps(self) -> list[cases.Step]:
        """What the decisions said, in the order in which they were read."""
        return [
            cases.Step(each.verdict.outcome, each.verdict.reason)
            for each in sorted(self.decisions, key=lambda each: each.revision)
        ]

    @property
    def complete(self) -> bool:
        """Return whether all that must come has come."""
        return bool(self.answers) and len(self.decisions) >= len(self.case.expected)

    @property
    def took_ms(self) -> int | None:
        """From the first callback to the last decision."""
        if not self.decisions:
            return None
        return max(each.decided_at for each in self.decisions) - self.began_at

    def problems(self) -> list[str]:
        """Return what is not as it must be; nothing where all is well."""
        found = []
        if set(self.answers) != {self.case.answer}:
            statuses = sorted(set(self.answers) - {self.case.answer})
            found.append(f"answered {', '.join(map(str, statuses)) or 'never'}")
        if self.steps != list(self.case.expected):
            found.append("another history")
        revisions = sorted(each.revision for each in self.decisions)
        if revisions != list(range(1, len(revisions) + 1)):
            found.append(f"revisions {', '.join(map(str, revisions))}")
        return found + self._against_truth()

    def _against_truth(self) -> list[str]:
        """Hold the last decision against what the simulated provider holds."""
        if self.truth is None:
            return ["the provider holds nothing"]
        expected = self.case.reference
        if expected and any(each.reference != expected for each in self.decisions):
            return ["another reference"]
        if not self.truth.heard or not self.decisions:
            return []
        verdict = max(self.decisions, key=lambda each: each.revision).verdict
        found = []
        if verdict.outcome is not self.truth.outcome:
            found.append(f"the provider holds {self.truth.outcome}")
        if verdict.provider_status != self.truth.provider_status:
            found.append(f"the provider says {self.truth.provider_status}")
        return found


async def run_scenarios(stage: staging.DevEnvironment) -> list[ScenarioResult]:
    """
    Play all cases at the same time and return what was seen of each.

    Returns once everything has come and then nothing more for a while, or when the
    time is over. Raises errors.KafkaUnavailable.
    """
    clock = clocks.SystemClock()
    playing = [_begun(stage, case) for case in cases.every()]
    by_key = {each.key: each for each in playing if each.key}
    following_ = asyncio.create_task(_collect(stage, by_key, clock.now_ms()))
    delivering_ = [
        asyncio.create_task(_perform(stage, each, clock, by_key)) for each in playing
    ]
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIMIT_S):
                await _settled(playing, following_)
    finally:
        for task in (following_, *delivering_):
            task.cancel()
        await asyncio.gather(following_, *delivering_, return_exceptions=True)
    return playing


def _begun(stage: staging.DevEnvironment, case: cases.Case) -> ScenarioResult:
    """Return *case*, with its session unless our api is to begin it."""
    if case.reference is not None:
        return ScenarioResult(case=case, key=None)
    session_id = stage.playing[case.source].add(case.acts[0])
    settings = stage.settings.sources[case.source]
    entry = providers.REGISTRY[settings.provider]
    adapter = entry.build(case.source, settings, clocks.SystemClock())
    canonical = adapter.canonical(session_id) or session_id
    return ScenarioResult(case=case, key=model.SessionKey(case.source, canonical))


async def _perform(
    stage: staging.DevEnvironment,
    played: ScenarioResult,
    clock: clocks.Clock,
    by_key: dict[model.SessionKey, ScenarioResult],
) -> None:
    """Have the provider call for each act, one after the other."""
    simulator, key = stage.playing[played.case.source], played.key
    if key is None:
        await _begin_and_finish(stage, played, clock, by_key)
        return
    played.began_at = clock.now_ms()
    answers: list[int] = []
    for act in played.case.acts:
        simulator.add(act, key.session_id)
        sent = simulator.callbacks(key.session_id)
        answers += await callbacks.deliver(sent, stage.url)
    played.truth = simulator.truth(key.session_id)
    played.answers = answers


async def _begin_and_finish(
    stage: staging.DevEnvironment,
    played: ScenarioResult,
    clock: clocks.Clock,
    by_key: dict[model.SessionKey, ScenarioResult],
) -> None:
    """Begin a session by our own api, and have its person finish it."""
    case = played.case
    source, [act] = case.source, case.acts
    session_id = await session_starts.begin(stage, source, str(case.reference))
    if session_id is None:
        return
    played.key = model.SessionKey(source, session_id)
    by_key[played.key] = played
    played.began_at = clock.now_ms()
    played.answers = await session_starts.finish(stage, source, session_id, act)
    played.truth = stage.playing[source].truth(session_id)


async def _collect(
    stage: staging.DevEnvironment,
    by_key: Mapping[model.SessionKey, ScenarioResult],
    since_ms: int,
) -> None:
    """Give every decision to the case that it belongs to."""
    found = decision_stream.decisions(stage.settings.kafka, since_ms=since_ms)
    async with contextlib.aclosing(found):
        async for decision, _ in found:
            if decision.key in by_key:
                by_key[decision.key].decisions.append(decision)


async def _settled(
    playing: Sequence[ScenarioResult], reading: asyncio.Task[None]
) -> None:
    """Return when all is complete and nothing more has come for a while."""
    loop = asyncio.get_running_loop()
    before, since = -1, loop.time()
    while loop.time() - since < _QUIET_S:
        if reading.done():
            reading.result()
        seen = sum(len(each.decisions) for each in playing)
        if seen != before or not all(each.complete for each in playing):
            before, since = seen, loop.time()
        await asyncio.sleep(_POLL_S)
