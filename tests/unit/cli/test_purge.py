"""The command that ends a source's unanswered sessions reaches every partition."""

import pathlib

import click.testing
import pytest

from tests.support import system
from worker import clock, codec, model
from worker.app import sources
from worker.cli import purge
from worker.kafka import partitioning


@pytest.mark.parametrize("partitions", [1, 24, 100])
def test_each_partition_gets_one_command(
    tmp_path: pathlib.Path, partitions: int
) -> None:
    """Its key belongs where it is written, and it can be read again."""
    config = system.System("127.0.0.1:1", "never", tmp_path).settings
    found = sources.build_sources(config, clock.SystemClock())["biometric"]
    events = list(purge.commands(found, partitions, model.random_id()))
    records = [codec.event_record(event) for event in events]
    places = [partitioning.partition_of(one.key, partitions) for one in records]
    assert sorted(places) == list(range(partitions))
    for event, record in zip(events, records, strict=True):
        assert event.type is model.EventType.PURGE_REQUESTED
        read = codec.read_event(record.key, record.value, record.headers)
        assert read.source == "biometric"
        assert read.event_id == events[0].event_id


def test_it_is_to_be_said_which_sessions() -> None:
    """Without --never-answered nothing is looked at, and a sentence says why."""
    done = click.testing.CliRunner().invoke(
        purge.sessions, ["purge", "--source", "biometric", "--apply"]
    )
    assert done.exit_code == 2
    assert "--never-answered" in done.output
