"""A ledger with history is restored whole, quickly, and into little memory."""

from tests.scale import figures, history
from worker import model
from worker.kafka import ledger_partition
from worker.pipeline import session_store

_PARTITIONS = 20
_SESSIONS = 10_000  #: in each version
#: a disaster is meant, not a slow machine: alone it is ten times better
_RECORDS_A_SECOND = 5_000
_CPU_US_A_RECORD = 50


async def test_a_ledger_with_history_is_restored_whole_and_fast(
    kafka: str, topic_prefix: str
) -> None:
    """20,000 sessions, three records each, in small transactions, in both versions."""
    for version in (1, 2):
        plan = history.Plan(
            servers=kafka,
            prefix=f"{topic_prefix}v{version}",
            partitions=_PARTITIONS,
            mine=[],
            sessions=_SESSIONS // _PARTITIONS,
            version=version,
        )
        written = await figures.write(plan)
        restored = await figures.restore(plan)

        assert restored["sessions"] == _SESSIONS
        assert restored["open"] == _SESSIONS // history.OPEN_EVERY
        assert written["records"] == restored["records"]
        assert restored["records"] / restored["seconds"] > _RECORDS_A_SECOND
        assert restored["cpu_seconds"] / restored["records"] < _CPU_US_A_RECORD / 1e6
        await _whole(plan)


async def _whole(plan: history.Plan) -> None:
    """Fail unless a partition's memory holds the last record of each session."""
    last: dict[model.SessionKey, bytes] = {}
    transactions = 0
    for batch in history.history(3, plan.sessions, plan.version):
        last.update(batch)
        transactions += 1
    log = ledger_partition.LedgerPartition(plan.kafka, 3)
    loader = session_store.SessionStore(plan.version)
    try:
        await log.fence()
        restored = await log.restore(loader.load)
    finally:
        await log.discard()
    loader.finish_restore(0)

    assert last == {key: loader.encoded(key) for key in last}
    assert len(last) == len(loader)
    assert restored.position == model.Position(next_offset=transactions - 1)
