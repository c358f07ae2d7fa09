"""An event that is not its source's is refused; its neighbours go on."""

from typing import Any

import pytest

from tests.support import inputs, pipeline
from worker import model

_PURGE = model.EventType.PURGE_REQUESTED


async def _refused(event: model.Event) -> list[model.DeadLetter]:
    """Return the letters of *event*, which must cost neither neighbour anything."""
    async with pipeline.Rig() as rig:
        rig.provider.instant = inputs.approved()
        await rig.take(pipeline.event(1), event, pipeline.event(3))
        await rig.gathered()
        for n in (1, 3):
            assert rig.ledger.outcomes(pipeline.key(n)) == ["approved"]
        assert set(rig.provider.asked) == {"tx-1", "tx-3"}
        assert rig.ledger.session(event.key) is None
        return rig.ledger.letters


@pytest.mark.parametrize(
    ("change", "word", "redriven"),
    [
        ({"provider": "biometric"}, "wrong_provider", True),
        ({"environment": model.Environment.LIVE}, "wrong_environment", True),
        ({"provider_session_id": "tx-3"}, "wrong_provider_session_id", False),
        ({"provider_session_id": "tx-2/../x"}, "wrong_provider_session_id", False),
        ({"session_id": "TX-2"}, "wrong_provider_session_id", False),
    ],
)
@pytest.mark.parametrize("kind", sorted(set(model.EventType) - {_PURGE}))
async def test_an_event_of_another_is_refused(
    kind: model.EventType, change: dict[str, Any], word: str, *, redriven: bool
) -> None:
    """Whatever its type: another provider, environment, or session's spelling."""
    event = pipeline.event(2)._replace(type=kind, **change)
    letter, *more = await _refused(event)

    assert more == []
    assert (model.DeadLetterReason.UNMAPPABLE, word) == (
        letter.reason,
        letter.last_error,
    )
    assert event.key == model.SessionKey(letter.source, letter.session_id or "")
    assert event.event_id == letter.event_id
    assert redriven == (letter.redrive is not None)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"provider": "biometric"}, "wrong_provider"),
        ({"environment": model.Environment.LIVE}, "wrong_environment"),
        ({"source": "two"}, "unknown_source"),
    ],
)
async def test_a_purge_of_another_is_refused(change: dict[str, Any], word: str) -> None:
    """Of a source that is not the worker's own: it ends nothing and does not wait."""
    event = pipeline.event(2)._replace(type=_PURGE, **change)
    letter, *more = await _refused(event)

    assert more == []
    assert (word, None) == (letter.last_error, letter.redrive)


async def test_a_session_is_not_approved_by_another_s_result() -> None:
    """Session 2 with the spelling of 3, which is approved: nothing is asked for it."""
    stolen = pipeline.event(2)._replace(provider_session_id="TX-3", reference="victim")
    async with pipeline.Rig() as rig:
        await rig.take(stolen)
        await rig.gathered()
        assert not rig.provider.asked
        assert rig.ledger.decisions == []


async def test_a_poisoned_ledger_leads_to_no_call() -> None:
    """A session that an older release took under another's spelling is not fetched."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.gathered()
    held = rig.ledger.records[str(pipeline.key(1))]
    rig.ledger.records[str(pipeline.key(1))] = held.replace(b"TX-1", b"TX-9")

    async with rig.again() as poisoned:
        poisoned.provider.asked.clear()
        for _ in range(10):
            await poisoned.wait(900_000)
            await poisoned.gathered()
        assert not poisoned.provider.asked
        assert [one.reason for one in poisoned.ledger.letters] == ["result_mismatch"]
