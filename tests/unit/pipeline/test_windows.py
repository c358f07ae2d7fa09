"""How long a commit waits for company: for whom, and for what."""

import dataclasses

from tests.support import inputs, pipeline
from worker import errors

A = inputs.approved
_WINDOWS = dataclasses.replace(pipeline.LIMITS, gather_ms=5, intent_ms=50)


async def test_what_nobody_waits_for_waits_for_company() -> None:
    """An intent is committed later than a decision would be, and not much later."""
    async with pipeline.Rig(limits=_WINDOWS) as rig:
        await rig.wait(_WINDOWS.intent_ms)
        before = len(rig.ledger.batches)
        await rig.take(pipeline.event(1))
        await rig.wait(_WINDOWS.intent_ms - 1)
        assert len(rig.ledger.batches) == before
        await rig.wait(1)
        assert len(rig.ledger.batches) == before + 1
        assert rig.partition.next_offset == 1


async def test_a_decision_takes_along_what_waits() -> None:
    """What a person hears of goes out at once, with every intent that is gathered."""
    async with pipeline.Rig(limits=_WINDOWS) as rig:
        await rig.wait(_WINDOWS.intent_ms)
        before = len(rig.ledger.batches)
        await rig.take(pipeline.event(1), pipeline.event(2))
        await rig.wait(_WINDOWS.gather_ms)
        await rig.bring(A(), "tx-1")
        (batch,) = rig.ledger.batches[before:]
        assert len(batch.decisions) == 1
        assert {key for key, _ in batch.sessions} == {pipeline.key(1), pipeline.key(2)}


async def test_the_retries_of_an_ill_source_leave_the_transactions_to_others() -> None:
    """Sessions that fail again and again cost a few commits, however many they are."""
    async with pipeline.Rig(limits=_WINDOWS) as rig:
        await rig.wait(_WINDOWS.intent_ms)
        before = len(rig.ledger.batches)
        for number in range(40):
            await rig.take(pipeline.event(number))
            await rig.bring(errors.ProviderFault(), f"tx-{number}")
            await rig.wait(5)
        assert len(rig.ledger.batches) - before <= 40 * 5 // _WINDOWS.intent_ms
