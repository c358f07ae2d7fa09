"""What gathers between two commits."""

import asyncio

from tests.support import ledger as told
from worker import ledger, model
from worker.pipeline import group_commit


async def _gathered(
    *effects: ledger.EmitDecision | ledger.EmitDeadLetter | ledger.DeleteSession,
) -> group_commit.PendingBatch:
    done = asyncio.get_running_loop().create_future()
    gathered = group_commit.PendingBatch(since=told.START, done=done)
    for effect in effects:
        gathered.add(effect, told.KEY)
    return gathered


def _decision() -> model.Decision:
    return told.decided(told.approved()).latest


async def test_a_decision_after_a_tombstone_takes_it_back() -> None:
    """The tombstone would stand behind the new decision and erase it."""
    gathered = await _gathered(ledger.DeleteSession(), ledger.EmitDecision(_decision()))
    assert (gathered.forgotten, len(gathered.decisions)) == ([], 1)


async def test_a_tombstone_alone_stays() -> None:
    """A session that only ends takes its latest decision with it."""
    gathered = await _gathered(ledger.DeleteSession())
    assert gathered.forgotten == [told.KEY]


async def test_the_weight_is_what_is_written() -> None:
    """A session is one record, a decision two, a letter and a tombstone one each."""
    history = told.told(told.SIGNED, told.approved())
    history.callback(told.signed(told.rejected()))
    letter = history.letters[0]
    gathered = await _gathered(ledger.DeleteSession(), ledger.EmitDeadLetter(letter))
    assert gathered.record_count == 2
    gathered.decisions.append(_decision())
    gathered.sessions[told.KEY] = None
    assert gathered.record_count == 5
    position = model.Position(next_offset=7)
    batch = gathered.batch(position, lambda key: str(key).encode())
    stored = [(told.KEY, str(told.KEY).encode())]
    assert (batch.position, batch.sessions) == (position, stored)
    assert (batch.deleted_sessions, batch.dead_letters) == ([told.KEY], [letter])
