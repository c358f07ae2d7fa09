"""
Fill the memories of a worker with ended sessions, as a restore does; tell the bytes.

    python -m tests.bench.filling SESSIONS PARTITIONS VERSION

Keys and values are the ledger's own, each one object, as the reader hands them out.
What is told is the growth of the whole process.
"""

import sys

import orjson

from tests.scale import history, restoring
from worker.pipeline import memory


def main(sessions: int, partitions: int, version: int) -> None:
    """Fill, and tell one JSON line."""
    ended = history.stages(version)[-1]
    memories = [memory.Memory(version) for _ in range(partitions)]
    before = restoring.resident()
    for place in range(sessions):
        number, each = place % partitions, place // partitions
        session_id = history._session_id(number, each)
        key, value = history._record(session_id, ended)
        memories[number].load(str(key), value)
    for one in memories:
        one.settle(0)
    told = {
        "sessions": sum(map(len, memories)),
        "open": sum(one.open for one in memories),
        "bytes": restoring.resident() - before,
    }
    print(orjson.dumps(told).decode(), flush=True)  # noqa: T201 -- the result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
