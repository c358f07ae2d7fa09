"""One source's trouble, and one session's, is no other's."""

import dataclasses

import pytest

from tests.support import fakes, inputs, pipeline
from worker import errors, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending
_OTHER = "biometric"


async def test_a_hanging_source_does_not_slow_another() -> None:
    """With every slot of one source hanging, another's sessions are decided at once."""
    other = fakes.Provider()
    other.instant = A()
    limits = dataclasses.replace(pipeline.GATE, concurrency=3)
    async with pipeline.Rig(others={_OTHER: other}, gate_limits=limits) as rig:
        await rig.take(*(pipeline.event(n) for n in range(20)))
        assert len(rig.provider.flying) == 3
        await rig.take(*(pipeline.event(n, _OTHER) for n in range(20)))
        await rig.gathered()
        decided = [d for d in rig.ledger.decisions if d.source == _OTHER]
        assert len(decided) == 20


async def test_a_failing_sources_circuit_is_its_own() -> None:
    """The circuit of one source holds no fetch of another's."""
    other = fakes.Provider()
    other.instant = A()
    limits = dataclasses.replace(pipeline.GATE, circuit_failure_threshold=2)
    async with pipeline.Rig(others={_OTHER: other}, gate_limits=limits) as rig:
        rig.provider.instant = errors.ProviderTimeout()
        await rig.take(*(pipeline.event(n) for n in range(5)))
        assert rig.sources[inputs.KEY.source].gate.tripped
        await rig.take(pipeline.event(6))
        await rig.take(*(pipeline.event(n, _OTHER) for n in range(5)))
        await rig.gathered()
        assert rig.provider.asked["tx-6"] == 0
        assert len(rig.ledger.decisions) == 5


@pytest.mark.parametrize(
    ("error", "trips"),
    [
        (errors.ProviderTimeout, True),
        (errors.ProviderUnreachable, True),
        (errors.ProviderFault, True),
        (errors.InvalidResponse, True),
        (errors.RateLimited, False),
        (errors.NotReady, False),
        (errors.SessionNotFound, False),
        (errors.ProviderAuthFailed, False),
        (errors.ResultMismatch, False),
    ],
)
async def test_only_a_failing_source_trips_the_circuit(
    error: type[errors.FetchError], *, trips: bool
) -> None:
    """What the provider answered about a session is no failure of the provider."""
    limits = dataclasses.replace(pipeline.GATE, circuit_failure_threshold=1)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(inputs.event())
        await rig.bring(error())
        assert rig.sources[inputs.KEY.source].gate.tripped is trips
        assert rig.observer.results == [error.reason]


async def test_retry_after_holds_every_session_of_the_source() -> None:
    """One session's Retry-After holds its neighbours of the same source."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.bring(errors.RateLimited(retry_after_ms=9_000), "tx-1")
        await rig.take(pipeline.event(2))
        await rig.wait(8_999)
        assert rig.provider.flying == {}
        await rig.wait(1)
        assert set(rig.provider.flying) == {"tx-1", "tx-2"}


async def test_denials_hold_sessions_that_nobody_knows() -> None:
    """A spent budget holds sessions never answered for, with one alarm a minute."""
    limits = dataclasses.replace(pipeline.GATE, denied_per_minute=2)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(pipeline.event(9))
        await rig.bring(P(), "tx-9")
        for number in (1, 2):
            await rig.take(pipeline.event(number))
            await rig.bring(errors.SessionNotFound(), f"tx-{number}")
        assert rig.observer.alarms == [model.AlarmKind.NOT_FOUND_RATE]
        await rig.take(pipeline.event(3), pipeline.event(9))
        assert set(rig.provider.flying) == {"tx-9"}


async def _deny_to_the_end(rig: pipeline.Rig) -> None:
    rig.provider.instant = errors.SessionNotFound()
    await rig.take(pipeline.event(1), pipeline.event(2))
    for _ in range(25):
        await rig.wait(inputs.MINUTE)
    assert rig.ledger.records == {}


async def test_denied_sessions_are_summed_up_once_an_hour() -> None:
    """Sessions that end unseen leave one dead letter with their count, no other."""
    async with pipeline.Rig() as rig:
        await _deny_to_the_end(rig)
        await rig.wait(inputs.HOUR)
        await rig.gathered()
        letters = rig.ledger.letters
        assert [(letter.reason, letter.count) for letter in letters] == [
            ("denied_sessions", 2)
        ]
        assert rig.ledger.position is not None
        assert rig.ledger.position.denied == ()


async def test_the_summary_survives_a_restart() -> None:
    """What is not summed up yet stands in the position, and the heir sums it up."""
    async with pipeline.Rig() as rig:
        await _deny_to_the_end(rig)
        assert rig.ledger.letters == []
    async with rig.again() as heir:
        await heir.wait(inputs.HOUR)
        await heir.gathered()
        assert [letter.count for letter in heir.ledger.letters] == [2]
