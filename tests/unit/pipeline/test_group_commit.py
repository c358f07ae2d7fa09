"""What gathers between two commits."""

import asyncio

from tests.support import inputs
from worker import ledger, model
from worker.pipeline import group_commit


async def _gathered(
    *effects: ledger.EmitDecision | ledger.EmitDeadLetter | ledger.DeleteSession,
) -> group_commit.PendingBatch:
    done = asyncio.get_running_loop().create_future()
    gathered = group_commit.PendingBatch(since=inputs.START, done=done)
    for effect in effects:
        gathered.add(effect, inputs.KEY)
    return gathered


def _decision() -> model.Decision:
    return inputs.decided(inputs.approved()).latest


async def test_a_decision_after_a_tombstone_takes_it_back() -> None:
    """The tombstone would stand behind the new decision and erase it."""
    gathered = await _gathered(ledger.DeleteSession(), ledger.EmitDecision(_decision()))
    assert (gathered.forgotten, len(gathered.decisions)) == ([], 1)


async def test_a_tombstone_alone_stays() -> None:
    """A session that only ends takes its latest decision with it."""
    gathered = await _gathered(ledger.DeleteSession())
    assert gathered.forgotten == [inputs.KEY]


async def test_the_weight_is_what_is_written() -> None:
    """A session is one record, a decision two, a letter and a tombstone one each."""
    history = inputs.after_callbacks(inputs.SIGNED, inputs.approved())
    history.callback(inputs.signed(inputs.rejected()))
    letter = history.letters[0]
    gathered = await _gathered(ledger.DeleteSession(), ledger.EmitDeadLetter(letter))
    assert gathered.record_count == 2
    gathered.decisions.append(_decision())
    gathered.sessions[inputs.KEY] = None
    assert gathered.record_count == 5
    position = model.Position(next_offset=7)
    batch = gathered.batch(position, lambda key: str(key).encode())
    stored = [(inputs.KEY, str(inputs.KEY).encode())]
    assert (batch.position, batch.sessions) == (position, stored)
    assert (batch.deleted_sessions, batch.dead_letters) == ([inputs.KEY], [letter])
