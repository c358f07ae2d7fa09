"""
Write a ledger with history: every session three times, in small transactions.

    python -m tests.scale.history '{"servers": …, "partitions": [0, 2], …}'

It is a process of its own, so that several write at once; one JSON line is told.
"""

import asyncio
import dataclasses
import random
import sys
import time
import uuid
from collections.abc import Iterator

import orjson

from worker import codec, ledger, model, policy, ports, settings
from worker.kafka import ledger_partition

_AT = 1_795_255_810_000
_ID = "00000000-0000-0000-0000-000000000000"
#: sessions that are under way at once in a partition
_WINDOW = 500
_SMALLEST, _LARGEST = 5, 50
#: one session of so many is still open at the end
OPEN_EVERY = 100

Record = tuple[model.SessionKey, bytes]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one process writes."""

    servers: str
    prefix: str
    #: of the topic
    partitions: int
    #: those that this process writes
    mine: list[int]
    #: in each partition
    sessions: int
    version: int

    @property
    def kafka(self) -> settings.Kafka:
        """Return the configuration that reaches the ledger."""
        return settings.Kafka.model_validate(
            {
                "bootstrap_servers": self.servers,
                "topic_prefix": self.prefix,
                "partitions": self.partitions,
                "durability": "single-broker",
            }
        )


def stages(version: int) -> list[bytes]:
    """Return what a session's records are, in their order, under a made-up id."""
    cause = model.Cause(
        type=model.CauseType.CALLBACK, event_id=_ID, received_at=_AT - 40
    )
    taken = ledger.Session(
        provider_session_id=_ID,
        first_seen_at=_AT,
        updated_at=_AT + 2,
        flight=ledger.Flight(seq=1, started_at=_AT + 2, cause=cause),
        fetch_seq=1,
        last_fetch_at=_AT + 2,
    )
    pending = taken._replace(
        updated_at=_AT + 800,
        flight=None,
        revision=1,
        current_verdict=policy.pending(model.Reason.IN_PROGRESS, status="PENDING"),
        observed_at=_AT + 790,
        due_at=_AT + 300_000,
        pending_cause=model.Cause(type=model.CauseType.POLL),
        rechecks=1,
    )
    ended = pending._replace(
        updated_at=_AT + 60_000,
        revision=2,
        current_verdict=policy.approved(status="FINISHED"),
        observed_at=_AT + 59_990,
        due_at=None,
        pending_cause=None,
        rechecks=0,
        fetch_seq=2,
        last_fetch_at=_AT + 59_000,
    )
    return [codec.encode_session(each, version) for each in (taken, pending, ended)]


def history(number: int, sessions: int, version: int) -> Iterator[list[Record]]:
    """Yield the transactions of partition *number*."""
    chance, made = random.Random(number), stages(version)
    for start in range(0, sessions, _WINDOW):
        numbers = range(start, min(start + _WINDOW, sessions))
        ids = [_session_id(number, each) for each in numbers]
        for template in made:
            still = _ended(ids) if template is made[-1] else ids
            records = [_record(each, template) for each in still]
            while records:
                size = chance.randint(_SMALLEST, _LARGEST)
                yield records[:size]
                del records[:size]


def _session_id(number: int, each: int) -> str:
    return str(uuid.UUID(int=(number << 96) | (each * 2_654_435_761)))


def _ended(ids: list[str]) -> list[str]:
    return [each for place, each in enumerate(ids) if place % OPEN_EVERY]


def _record(session_id: str, template: bytes) -> Record:
    value = template.replace(_ID.encode(), session_id.encode(), 1)
    return model.SessionKey("biometric", session_id), value


async def _write(plan: Plan, number: int) -> tuple[int, int, int]:
    """Write one partition; return its transactions, records and bytes."""
    log = ledger_partition.LedgerPartition(plan.kafka, number)
    await log.fence()
    transactions = records = size = 0
    try:
        for batch in history(number, plan.sessions, plan.version):
            position = model.Position(next_offset=transactions)
            await log.commit(ports.Batch(position=position, sessions=batch))
            transactions += 1
            records += len(batch) + 1
            size += sum(len(str(key)) + len(value) for key, value in batch)
    finally:
        await log.discard()
    return transactions, records, size


async def write(plan: Plan) -> dict[str, float]:
    """Write all of *plan*; return what was written, and the seconds it took."""
    begun = time.monotonic()
    each = await asyncio.gather(*(_write(plan, number) for number in plan.mine))
    transactions, records, size = map(sum, zip(*each, strict=True))
    return {
        "transactions": transactions,
        "records": records,
        "bytes": size,
        "seconds": time.monotonic() - begun,
    }


if __name__ == "__main__":
    document = asyncio.run(write(Plan(**orjson.loads(sys.argv[1]))))
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
