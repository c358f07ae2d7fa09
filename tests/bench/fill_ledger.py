"""
Fill the memories of a worker as a restore does, with ended sessions; tell the bytes.

    python -m tests.bench.fill_ledger SESSIONS PARTITIONS VERSION

Each session's three records come one after the other, keys and values each an object
of its own, as the reader hands them out: what an earlier value leaves behind counts.
What is told is the growth of the whole process, less what a client of Kafka takes.
"""

import sys
from collections.abc import Iterator

from tests.bench import report
from tests.scale import history, restoring
from worker.pipeline import session_store

#: sessions that are under way at once in a partition
_WINDOW = 500


def _records(number: int, sessions: int, version: int) -> Iterator[history.Record]:
    """Yield the history of partition *number*, in which everything ends."""
    for start in range(0, sessions, _WINDOW):
        numbers = range(start, min(start + _WINDOW, sessions))
        ids = [history._session_id(number, each) for each in numbers]
        for template in history.stages(version):
            for session_id in ids:
                yield history._record(session_id, template)


def main(sessions: int, partitions: int, version: int) -> None:
    """Fill, and tell one JSON line."""
    before = restoring.resident()
    memories = [session_store.SessionStore(version) for _ in range(partitions)]
    for number, one in enumerate(memories):
        share = sessions // partitions + (number < sessions % partitions)
        for key, value in _records(number, share, version):
            one.load(str(key), value)
        one.finish_restore(0)
    report.write(
        {
            "sessions": sum(map(len, memories)),
            "open": sum(one.open for one in memories),
            "bytes": restoring.resident() - before,
        }
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
