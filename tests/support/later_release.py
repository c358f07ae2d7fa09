"""
Run a command of the worker as a later release would: it reads version 2 of events.

    python -m tests.support.later_release COMMAND …

The product knows nothing of this: in the child process alone, version 2 of an event has
the fields of version 1.
"""

import dataclasses

import orjson

from worker import cli, codec, model
from worker.codec import events


def as_version_2(record: codec.Record) -> codec.Record:
    """Return the record of an event as a later release writes it."""
    value = {**orjson.loads(record.value or b""), "schema_version": 2}
    return dataclasses.replace(record, value=orjson.dumps(value))


def learn() -> None:
    """Let this process read version 2 of an event as it reads version 1."""
    before = codec.read_event

    def read_event(
        key: bytes | None, value: bytes | None, headers: codec.ForeignHeaders
    ) -> model.Event:
        later = (value or b"").replace(b'"schema_version":2', b'"schema_version":1')
        return before(key, later, headers)

    vars(codec)["read_event"] = vars(events)["read_event"] = read_event


if __name__ == "__main__":
    learn()
    cli.main()
