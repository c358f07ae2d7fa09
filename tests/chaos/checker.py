"""Read the topics with nothing of the worker's, and say which promise is broken."""

import asyncio
import collections
import contextlib
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import aiokafka
import orjson

Key = tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the driver knows of one session."""

    outcome: str
    #: an authentic callback about it was answered 2xx
    heard: bool
    #: its status word is in no table
    unknown_word: bool = False


@dataclasses.dataclass(slots=True)
class Read:
    """What the topics hold, in their own order."""

    event_ids: set[str] = dataclasses.field(default_factory=set)
    histories: dict[Key, list[dict[str, Any]]] = dataclasses.field(
        default_factory=lambda: collections.defaultdict(list)
    )
    latest: dict[Key, list[int]] = dataclasses.field(
        default_factory=lambda: collections.defaultdict(list)
    )
    dead: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    dead_sessions: set[Key] = dataclasses.field(default_factory=set)


async def read(servers: str, prefix: str) -> Read:
    """Return what a read_committed consumer of its own finds now."""
    found = Read()
    outcomes = [f"{prefix}.decisions.{o}" for o in ("approved", "rejected", "pending")]
    async for record in _records(servers, f"{prefix}.events"):
        found.event_ids.add(dict(record.headers)["ce_id"].decode())
    for topic in outcomes:
        async for record in _records(servers, topic):
            decision = orjson.loads(record.value)
            key = (decision["source"], decision["session_id"])
            found.histories[key].append(decision)
    async for record in _records(servers, f"{prefix}.decisions"):
        decision = orjson.loads(record.value)
        key = (decision["source"], decision["session_id"])
        found.latest[key].append(decision["revision"])
    async for record in _records(servers, f"{prefix}.dlq"):
        letter = orjson.loads(record.value)
        found.dead[letter["reason"]] += 1
        found.dead_sessions.add((letter["source"], str(letter["session_id"])))
    return found


async def _records(servers: str, topic: str) -> Any:  # noqa: ANN401 -- aiokafka has no types
    consumer = aiokafka.AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        places = sorted(consumer.assignment())
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(p) < ends[p] for p in places]):
            batches = await consumer.getmany(timeout_ms=500)
            for records in batches.values():
                for record in records:
                    yield record
    finally:
        # aiokafka 0.14 awaits a task that it has cancelled before its first step.
        with contextlib.suppress(asyncio.CancelledError):
            await consumer.stop()


def violations(
    found: Read, expected: Mapping[Key, Expected], acknowledged: Iterable[str]
) -> list[str]:
    """Return a sentence, with the session's history, for every broken promise."""
    broken = [
        f"promise 1: event {event_id} was acknowledged and is not in the topic"
        for event_id in acknowledged
        if event_id not in found.event_ids
    ]
    for key, session in expected.items():
        history = found.histories.get(key, [])
        broken += [
            f"{sentence}: {':'.join(key)} {_told(history)}"
            for sentence in _of_session(key, session, history, found)
        ]
    strangers = set(found.histories) - set(expected)
    broken += [f"a decision about nobody: {':'.join(key)}" for key in strangers]
    return broken


def _of_session(
    key: Key, session: Expected, history: list[dict[str, Any]], found: Read
) -> Iterable[str]:
    revisions = sorted(decision["revision"] for decision in history)
    ordered = sorted(history, key=lambda decision: decision["revision"])
    if session.heard and not history and key not in found.dead_sessions:
        yield "promise 2: heard of, and nowhere"
    if revisions != list(range(1, len(history) + 1)):
        yield "promise 3: revisions with a gap or a repeat"
    latest = found.latest.get(key, [])
    if latest != sorted(set(latest)) or (revisions and latest[-1:] != revisions[-1:]):
        yield f"promise 3: kyc.decisions goes {latest}"
    if session.unknown_word and any(d["outcome"] == "approved" for d in history):
        yield "promise 5: an unknown word was approved"
    final = False
    for decision in ordered:
        if final and not decision["final"]:
            yield "promise 6: a final was undone by a preliminary"
        final = final or decision["final"]
    if session.heard and ordered and ordered[-1]["outcome"] != session.outcome:
        yield f"promise 6: it must end {session.outcome}"


def _told(history: list[dict[str, Any]]) -> str:
    return " ".join(f"r{d['revision']}={d['outcome']}/{d['reason']}" for d in history)
