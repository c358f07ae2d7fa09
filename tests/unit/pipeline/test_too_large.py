"""A session whose record is too large for the ledger costs itself, and nobody else."""

import dataclasses

from tests.support import inputs, pipeline
from worker import ledger, model

_LIMITS = dataclasses.replace(pipeline.LIMITS, max_session_bytes=1_500)


def _long(number: int, nth: int) -> model.Event:
    """Return a callback whose mark, which its session keeps, is long."""
    mark = f"{nth}".rjust(255, "x")
    return pipeline.event(number)._replace(provider_event_id=mark)


def _reasons(rig: pipeline.Rig) -> list[tuple[str, str | None, str | None]]:
    return [(one.reason, one.last_error, one.session_id) for one in rig.ledger.letters]


async def test_it_is_put_back_and_buried_and_its_neighbours_go_on() -> None:
    """One among many in a transaction: the state stays, the others are decided."""
    async with pipeline.Rig(limits=_LIMITS) as rig:
        rig.provider.instant = inputs.approved()
        await rig.take(pipeline.event(1))
        await rig.gathered()
        before = rig.ledger.session(pipeline.key(1))
        assert before is not None

        await rig.take(
            pipeline.event(2),
            *(_long(1, nth) for nth in range(8)),
            pipeline.event(3),
        )
        await rig.gathered()
        await rig.gathered()
        assert not rig.running.done()
        for n in (1, 2, 3):
            assert rig.ledger.outcomes(pipeline.key(n)) == ["approved"]
        assert _reasons(rig) == [("quarantined", "record_too_large", "tx-1")]
        assert rig.ledger.letters[0].redrive == model.redrive_command(pipeline.key(1))
        assert rig.observer.alarms == [
            model.AlarmKind.RECORD_TOO_LARGE,
            model.AlarmKind.QUARANTINED,
        ]
        assert rig.ledger.session(pipeline.key(1)) == before
        assert rig.ledger.position == model.Position(next_offset=11)

        await rig.wait(60_000)
        await rig.take(pipeline.event(1))
        await rig.wait(60_000)
        await rig.gathered()
        assert rig.provider.asked["tx-1"] == 2


async def test_a_new_session_that_is_too_large_leaves_nothing() -> None:
    """Its letter is committed with the position, and no state of it."""
    limits = dataclasses.replace(pipeline.LIMITS, max_session_bytes=400)
    async with pipeline.Rig(limits=limits) as rig:
        await rig.take(_long(1, 1), pipeline.event(2))
        await rig.gathered()
        assert rig.ledger.session(pipeline.key(1)) is None
        assert rig.ledger.session(pipeline.key(2)) is not None
        assert _reasons(rig) == [("quarantined", "record_too_large", "tx-1")]
        assert rig.ledger.position == model.Position(next_offset=2)


async def test_a_result_that_is_too_large_is_not_fetched_again_and_again() -> None:
    """The same fetch would bring the same: a wake-up opens the session again."""
    limits = dataclasses.replace(pipeline.LIMITS, max_session_bytes=700)
    async with pipeline.Rig(limits=limits) as rig:
        await rig.take(pipeline.event(1))
        await rig.gathered()
        words = dataclasses.replace(inputs.approved(), provider_reason="x" * 700)
        await rig.bring(words, "tx-1")
        for _ in range(20):
            await rig.wait(900_000)
            await rig.gathered()
        assert rig.ledger.decisions == []
        assert rig.provider.asked["tx-1"] == 1
        assert _reasons(rig) == [("quarantined", "record_too_large", "tx-1")]

        await rig.take(pipeline.event(1))
        await rig.bring(inputs.approved(), "tx-1")
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(1)) == ["approved"]


async def test_what_was_too_large_before_stays_and_stops_nobody() -> None:
    """Where the bound has been lowered below a record that is in the ledger."""
    async with pipeline.Rig() as rig:
        rig.provider.instant = inputs.approved()
        await rig.take(*(_long(1, nth) for nth in range(8)))
        await rig.gathered()
        await rig.gathered()
    before = rig.ledger.session(pipeline.key(1))

    async with dataclasses.replace(rig.again(), limits=_LIMITS) as lower:
        await lower.take(_long(1, 9), pipeline.event(2))
        await lower.gathered()
        await lower.gathered()
        assert not lower.running.done()
        assert before == lower.ledger.session(pipeline.key(1))
        assert lower.ledger.outcomes(pipeline.key(2)) == ["approved"]
        assert _reasons(lower) == [("quarantined", "record_too_large", "tx-1")]


def test_a_registered_session_keeps_its_deadline() -> None:
    """It goes on to be polled at its time: only what made it too large is over."""
    history = inputs.History()
    history.register()
    deadline = history.state.due_at
    history.callback()
    history.start()
    history.apply(ledger.RecordTooLarge())
    assert deadline is not None
    assert history.state.due_at == deadline
    assert history.state.flight is None
    assert history.letters[-1].last_error == "record_too_large"
