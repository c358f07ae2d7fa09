"""Read every topic of a system with nothing of the worker's, as it stands now."""

import asyncio
import collections
import contextlib
import dataclasses
from typing import Any

import aiokafka
import orjson

Key = tuple[str, str]

# Of one request: brokers die and freeze while we read.
_PATIENCE_MS = 5_000

OUTCOMES = ("approved", "rejected", "pending")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands, and when the broker took it."""

    topic: str
    partition: int
    offset: int
    at_ms: int

    def __str__(self) -> str:
        return f"{self.topic} p{self.partition} @{self.offset} {self.at_ms}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event, decision or dead letter; a tombstone has no *body*."""

    place: Place
    body: dict[str, Any]
    ce_id: str = ""


def _by_key() -> dict[Key, list[Seen]]:
    return collections.defaultdict(list)


@dataclasses.dataclass(slots=True)
class Read:
    """What the topics hold for a reader of committed records, each in its own order."""

    events: dict[Key, list[Seen]] = dataclasses.field(default_factory=_by_key)
    #: of the three outcome topics together
    decisions: dict[Key, list[Seen]] = dataclasses.field(default_factory=_by_key)
    #: of the compacted topic
    latest: dict[Key, list[Seen]] = dataclasses.field(default_factory=_by_key)
    letters: list[Seen] = dataclasses.field(default_factory=list)
    #: the sessions that the ledger holds a state of
    ledger: set[Key] = dataclasses.field(default_factory=set)

    @property
    def reasons(self) -> collections.Counter[str]:
        """Return how many dead letters there are of each reason."""
        return collections.Counter(each.body["reason"] for each in self.letters)


async def read(servers: str, prefix: str) -> Read:
    """Return what a read_committed reader finds up to the topics' ends of now."""
    found = Read()
    names = ["events", *(f"decisions.{outcome}" for outcome in OUTCOMES)]
    names += ["decisions", "dlq", "ledger"]
    topics = [f"{prefix}.{name}" for name in names]
    async for record in _records(servers, topics):
        _sort_in(found, record.topic.removeprefix(f"{prefix}."), record)
    return found


async def _records(servers: str, topics: list[str]) -> Any:  # noqa: ANN401 -- aiokafka has no types
    """Yield what *topics* hold; positions decide, for a log ends in markers."""
    consumer = aiokafka.AIOKafkaConsumer(
        *topics,
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        request_timeout_ms=_PATIENCE_MS,
    )
    try:
        await consumer.start()
        places = sorted(consumer.assignment())
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            batches = await consumer.getmany(timeout_ms=200)
            for records in batches.values():
                for record in records:
                    yield record
    finally:
        # aiokafka 0.14 awaits a task that it has cancelled before its first step.
        with contextlib.suppress(asyncio.CancelledError):
            await consumer.stop()


def _sort_in(found: Read, name: str, record: Any) -> None:  # noqa: ANN401 -- same
    source, _, session_id = record.key.decode().partition(":")
    key = (source, session_id)
    if name == "ledger":
        (found.ledger.discard if record.value is None else found.ledger.add)(key)
        return
    place = Place(
        topic=name,
        partition=record.partition,
        offset=record.offset,
        at_ms=record.timestamp,
    )
    headers = {header: value.decode() for header, value in record.headers}
    body = {} if record.value is None else orjson.loads(record.value)
    seen = Seen(place=place, body=body, ce_id=headers.get("ce_id", ""))
    match name:
        case "events":
            found.events[key].append(seen)
        case "dlq":
            found.letters.append(seen)
        case "decisions":
            found.latest[key].append(seen)
        case _:
            found.decisions[key].append(seen)
