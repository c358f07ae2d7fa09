"""The example subscriber, as a process of its own against a real broker."""

import asyncio
import contextlib
import pathlib
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import orjson
import pytest

from tests.support import transport
from worker import codec, ledger, model, policy, ports, settings
from worker.kafka import ledger_partition
from worker.ledger import transition

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "subscriber.py"
SESSION = model.SessionKey("one", "a")
APPROVED = policy.approved(status="SUCCESS")
REVOKED = policy.rejected(model.Reason.FRAUD, status="FRAUD_SUSPICION_CONFIRMED")
_RULES = policy.SourcePolicy(provider="idnow", environment=model.Environment.TEST)


@pytest.fixture(name="log")
async def _log(
    config: settings.Kafka,
) -> AsyncIterator[ledger_partition.LedgerPartition]:
    log = ledger_partition.LedgerPartition(config, transport.PARTITION)
    await log.fence()
    yield log
    await log.discard()


class Subscriber:
    """Runs the example; *lines* is all that it ever said."""

    def __init__(self, config: settings.Kafka, folder: pathlib.Path) -> None:
        self._config = config
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, group: str) -> "subprocess.Popen[bytes]":
        """Start it as a member of *group*."""
        with (self._folder / "said").open("ab") as said:
            running = subprocess.Popen(  # noqa: S603 -- our own program
                [
                    *(sys.executable, str(EXAMPLE), self._config.bootstrap_servers),
                    *(str(self._folder / "decisions.db"), "--group", group),
                    *("--topic", self._config.topic("decisions")),
                ],
                stdout=said,
                stdin=subprocess.DEVNULL,
            )
        self._running.append(running)
        return running

    @property
    def lines(self) -> list[str]:
        """Return what it said."""
        return (self._folder / "said").read_text().splitlines()

    def held(self) -> dict[str, tuple[int, str]]:
        """Return revision and outcome of each session in its database."""
        with contextlib.closing(sqlite3.connect(self._folder / "decisions.db")) as db:
            rows = db.execute("SELECT session_id, revision, decision FROM decisions")
            return {row[0]: (row[1], orjson.loads(row[2])["outcome"]) for row in rows}

    async def holds(self, expected: dict[str, tuple[int, str]]) -> None:
        """Return once its database holds *expected*; fails after a while."""
        held: dict[str, tuple[int, str]] = {}
        for _ in range(300):
            with contextlib.suppress(sqlite3.OperationalError):
                held = self.held()
            if held == expected:
                return
            await asyncio.sleep(0.1)
        pytest.fail(f"it holds {held} and said {self.lines}")

    def close(self) -> None:
        """End what still runs."""
        for each in self._running:
            each.kill()
            each.wait()


@pytest.fixture(name="subscriber")
def _subscriber(config: settings.Kafka, tmp_path: pathlib.Path) -> Iterator[Subscriber]:
    subscriber = Subscriber(config, tmp_path)
    yield subscriber
    subscriber.close()


def decisions(key: model.SessionKey, *verdicts: model.Verdict) -> list[model.Decision]:
    """Return the revisions that *verdicts* make of one session."""
    work = transition.Transition(
        key=key, rules=_RULES, now=1, session=transport.session()
    )
    for verdict in verdicts:
        work.decide(verdict, model.Cause(type=model.CauseType.POLL), 1)
    return [
        result.decision
        for result in work.effects
        if isinstance(result, ledger.EmitDecision)
    ]


def batch(*found: model.Decision, forgotten: list[model.SessionKey]) -> ports.Batch:
    """Return the transaction that tells *found*."""
    position = model.Position(next_offset=1)
    return ports.Batch(
        position=position, sessions=(), decisions=found, deleted_sessions=forgotten
    )


async def test_the_highest_revision_wins_and_acts_once(
    log: ledger_partition.LedgerPartition, subscriber: Subscriber
) -> None:
    """A revocation is taken, and reading everything once more adds nothing."""
    first, revoked = decisions(SESSION, APPROVED, REVOKED)
    running = subscriber.start("first")
    await log.commit(batch(first, forgotten=[]))
    await subscriber.holds({"a": (1, "approved")})
    running.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(running.wait, 20) == 0
    await log.commit(batch(revoked, forgotten=[]))

    subscriber.start("second")  # reads all of it again
    await subscriber.holds({"a": (2, "rejected")})
    other = decisions(model.SessionKey("one", "b"), APPROVED)
    await log.commit(batch(first, *other, forgotten=[]))
    await subscriber.holds({"a": (2, "rejected"), "b": (1, "approved")})

    assert subscriber.lines == [
        "one:a revision 1: approved (verified)",
        "one:a revision 2: rejected (fraud)",
        "one:b revision 1: approved (verified)",
    ]


async def test_what_was_not_committed_never_happened(
    config: settings.Kafka,
    log: ledger_partition.LedgerPartition,
    subscriber: Subscriber,
) -> None:
    """A decision of an aborted transaction is seen by nobody."""
    (hidden,) = decisions(SESSION, APPROVED)
    producer = log._producer
    assert producer is not None
    await producer.begin_transaction()
    record = codec.decision_record(hidden)
    await producer.send_and_wait(
        config.topic("decisions"),
        record.value,
        record.key,
        partition=transport.PARTITION,
        headers=record.headers,
    )
    await producer.abort_transaction()
    subscriber.start("first")

    await log.commit(
        batch(*decisions(model.SessionKey("one", "b"), APPROVED), forgotten=[])
    )

    await subscriber.holds({"b": (1, "approved")})


async def test_a_session_that_was_forgotten_begins_again(
    log: ledger_partition.LedgerPartition, subscriber: Subscriber
) -> None:
    """After its tombstone a session's first revision is news."""
    _, revoked = decisions(SESSION, APPROVED, REVOKED)
    subscriber.start("first")
    await log.commit(batch(revoked, forgotten=[]))
    await subscriber.holds({"a": (2, "rejected")})
    await log.commit(batch(forgotten=[SESSION]))
    await subscriber.holds({})

    await log.commit(batch(*decisions(SESSION, APPROVED), forgotten=[]))

    await subscriber.holds({"a": (1, "approved")})
