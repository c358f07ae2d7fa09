"""Whatever anybody writes between good events, every good session is decided."""

import asyncio
import contextlib
import dataclasses
import pathlib

import hypothesis
import orjson
from aiokafka import errors as theirs
from hypothesis import strategies as st

from tests.support import batches, system
from tests.support import kafka_timeouts as profiles
from worker import clock, codec, model
from worker.devkit import simulators
from worker.kafka import partitioning

_PARTITIONS = 2
_PATIENCE_S = 30
_VICTIM = "7d1c0a52-3e64-4a0f-9c11-5a0e6c0d7f01"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Written:
    """A batch that somebody writes, and where."""

    raws: list[batches.Raw]
    codec: str
    partition: int


def _event(session_id: str) -> model.Event:
    """Return a wake-up of a session of ``identomat``."""
    return model.Event(
        event_id=model.random_id(),
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="identomat",
        provider="identomat",
        session_id=session_id,
        provider_session_id=session_id,
        received_at=clock.SystemClock().now_ms(),
    )


def _raw(event: model.Event) -> batches.Raw:
    record = codec.event_record(event)
    headers = [(name.encode(), value) for name, value in record.headers]
    return batches.Raw(key=record.key, value=record.value, headers=headers)


_PLAIN = {**orjson.loads(_raw(_event(_VICTIM)).value or b""), "event_id": "any"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
_OVERSIZE = st.integers(256, 100_000).map(lambda length: "x" * length)
#: An event of the victim in which some fields are anything, or missing.
_CHANGED = st.dictionaries(
    st.sampled_from(sorted(_PLAIN)), _JSON | _OVERSIZE, max_size=3
).map(lambda changes: {**_PLAIN, **changes})
_LATER = st.tuples(_CHANGED, st.integers(2, 2**53)).map(
    lambda each: {**each[0], "schema_version": each[1]}
)
_ELSEWHERE = st.from_regex(r"[a-z]{1,8}", fullmatch=True).map(
    lambda source: {**_PLAIN, "source": source}
)
_VALUE = (_CHANGED | _LATER | _ELSEWHERE).map(orjson.dumps)
_BYTES = st.none() | st.binary(max_size=50)
_RAW = st.builds(
    batches.Raw,
    key=st.just(f"identomat:{_VICTIM}".encode()) | _BYTES,
    value=_VALUE | _BYTES,
    headers=st.lists(st.tuples(st.binary(max_size=20), _BYTES), max_size=3),
)
_WRITTEN = st.builds(
    _Written,
    raws=st.lists(_RAW, min_size=1, max_size=5),
    codec=st.sampled_from(sorted(batches.CODECS)),
    partition=st.integers(0, _PARTITIONS - 1),
)


async def _good(running: system.System) -> str:
    """Write the event of a session that is to be approved; return its id."""
    config = running.settings.kafka
    session_id = running.simulators["identomat"].add(simulators.Scenario())
    raw = _raw(_event(session_id))
    number = partitioning.partition_of(raw.key or b"", config.partitions)
    await batches.write(
        config.bootstrap_servers, config.topic("events"), number, batches.batch([raw])
    )
    return session_id


async def _between(running: system.System, written: list[_Written]) -> None:
    """Write each batch between two good events; all the good ones are approved."""
    config = running.settings.kafka
    good = {await _good(running)}
    for each in written:
        # What the broker refuses, nobody reads.
        with contextlib.suppress(theirs.KafkaError):
            await batches.write(
                config.bootstrap_servers,
                config.topic("events"),
                each.partition,
                batches.batch(each.raws, each.codec),
            )
        good.add(await _good(running))
    decided: dict[str, list[object]] = {}
    for _ in range(10 * _PATIENCE_S):
        decisions = await running.decisions()
        decided = {
            session_id: [each["outcome"] for each in history]
            for (_, session_id), history in decisions.items()
        }
        if good <= decided.keys():
            break
        await asyncio.sleep(0.1)
    assert {key: ["approved"] for key in good} == {
        key: found for key, found in decided.items() if key in good
    }


async def _started(running: system.System) -> system.Process:
    await running.__aenter__()
    worker = running.start("worker")
    async with asyncio.timeout(_PATIENCE_S):
        await running.ready(worker)
    return worker


def test_it_costs_no_good_session(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Headers, keys, values, codecs, partitions, versions, sizes: as anyone may."""
    running = system.System(
        kafka, topic_prefix, tmp_path, partitions=_PARTITIONS, times=times
    )
    with asyncio.Runner() as runner:

        @hypothesis.settings(
            max_examples=8, derandomize=True, deadline=None, database=None
        )
        @hypothesis.given(st.lists(_WRITTEN, min_size=2, max_size=4))
        def each(written: list[_Written]) -> None:
            """Run one example; the worker goes on from one to the next."""
            runner.run(_between(running, written))

        try:
            worker = runner.run(_started(running))
            each()
            assert "partition.failed" not in worker.logged()
        finally:
            runner.run(running.__aexit__())
