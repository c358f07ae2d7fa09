"""
Follow the decisions, and keep the newest one of every session: a consumer done right.

    python examples/subscriber.py 127.0.0.1:9092 decisions.db

Copy it, and put your own work into ``act``. It needs aiokafka and orjson.
"""

import argparse
import asyncio
import contextlib
import signal
import sqlite3
from typing import Any

import aiokafka
import orjson

_TABLE = """
    CREATE TABLE IF NOT EXISTS decisions (
        source TEXT, session_id TEXT, revision INTEGER, decision TEXT,
        PRIMARY KEY (source, session_id))"""
# The highest revision wins: a repeat and an older one change no row.
_KEEP = """
    INSERT INTO decisions VALUES (:source, :session_id, :revision, :text)
    ON CONFLICT DO UPDATE SET revision = excluded.revision, decision = excluded.decision
    WHERE excluded.revision > decisions.revision"""
_FORGET = "DELETE FROM decisions WHERE source || ':' || session_id = ?"


def act(decision: dict[str, Any]) -> None:
    """
    Do what a decision asks of your service.

    What goes into the same database happens once. Anything else may happen again
    after a crash: give it ``decision_id`` as its idempotency key.
    """
    where = f"{decision['source']}:{decision['session_id']}"
    what = f"{decision['outcome']} ({decision['reason']})"
    print(where, f"revision {decision['revision']}:", what, flush=True)


def take(database: sqlite3.Connection, key: bytes, value: bytes | None) -> None:
    """Take one record, of whatever age, any number of times."""
    if value is None:  # long after its end: if it ever begins again, then at revision 1
        with database:
            database.execute(_FORGET, [key.decode()])
        return
    decision = orjson.loads(value)
    if decision["schema_version"] != 1:
        raise SystemExit("a decision of a version that this program does not know")
    row = {**decision, "text": value.decode()}
    with database:  # one transaction: the row and what you do about it, or neither
        if database.execute(_KEEP, row).rowcount:
            act(decision)


async def follow(
    servers: str, topic: str, group: str, database: sqlite3.Connection
) -> None:
    """Read *topic* until SIGINT or SIGTERM; offsets are committed after the work."""
    ending = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not by cancelling: a cancelled read or commit of aiokafka may go on for ever.
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    consumer = aiokafka.AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=group,
        isolation_level="read_committed",  # an aborted transaction never happened
        auto_offset_reset="earliest",  # a new group begins with all that stands
        enable_auto_commit=False,
    )
    async with consumer:
        while not ending.is_set():
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    take(database, record.key, record.value)
            # Where a rebalance came first, the next owner reads these again: no harm.
            with contextlib.suppress(aiokafka.errors.CommitFailedError):
                await consumer.commit()


def main() -> None:
    """Read the arguments, and follow until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Follow the decisions.")
    parser.add_argument("servers", help="host:port of Kafka")
    parser.add_argument("database", help="the SQLite file to keep them in")
    # All outcomes, compacted: the last word on every session, revocations among them.
    parser.add_argument("--topic", default="kyc.decisions")
    parser.add_argument("--group", default="my-service")
    asked = parser.parse_args()
    database = sqlite3.connect(asked.database)
    database.execute(_TABLE)
    with contextlib.closing(database):
        asyncio.run(follow(asked.servers, asked.topic, asked.group, database))


if __name__ == "__main__":
    main()
