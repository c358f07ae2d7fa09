"""
Run a command of the worker with something in its way.

    python -m tests.support.fault_injection HINDRANCE ARGUMENT COMMAND …

The product knows nothing of this: it is wrapped from outside, in the child process
alone.
"""

import asyncio
import functools
import os
import pathlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiokafka

from worker import cli, clock, codec
from worker.kafka import consumer_group, event_decoder, ledger_partition

# What a restore decodes in one go at the most, before the event loop breathes.
_SLICE_S = 0.01


def by(hindrance: str, argument: str) -> tuple[str, ...]:
    """Return what runs a command with *hindrance* in its way."""
    return ("tests.support.fault_injection", hindrance, argument)


def slow_restore(seconds: str) -> None:
    """Let each restore take *seconds* more, in which it computes all the time."""
    restore = ledger_partition.LedgerPartition.restore

    @functools.wraps(restore)
    async def slower(
        log: ledger_partition.LedgerPartition, handle: ledger_partition.Handle
    ) -> ledger_partition.Restored:
        restored = await restore(log, handle)
        end = time.monotonic() + float(seconds)
        while (now := time.monotonic()) < end:
            while time.monotonic() < now + _SLICE_S:
                pass
            await asyncio.sleep(0)
        return restored

    setattr(ledger_partition.LedgerPartition, "restore", slower)  # noqa: B010 -- mypy minds the plain one


def frozen_inside(nth: str) -> None:
    """Freeze this process inside the *nth* transaction that tells of a session."""
    _after_send_all(int(nth), lambda: os.kill(os.getpid(), signal.SIGSTOP))


def stuck_inside(nth: str) -> None:
    """Let the *nth* transaction that tells of a session never end, all else go on."""
    _after_send_all(int(nth), asyncio.Event().wait)


def _after_send_all(nth: int, do: Callable[[], object]) -> None:
    send_all = ledger_partition.LedgerPartition._send_all
    passed = 0

    @functools.wraps(send_all)
    async def sent(
        log: ledger_partition.LedgerPartition,
        producer: aiokafka.AIOKafkaProducer,
        records: Mapping[str, Sequence[codec.Record]],
    ) -> None:
        nonlocal passed
        await send_all(log, producer, records)
        # How many write the position alone depends on how long there is no traffic.
        tells = sum(map(len, records.values())) > 1
        passed += tells
        if tells and passed == nth and asyncio.iscoroutine(waiting := do()):
            await waiting

    setattr(ledger_partition.LedgerPartition, "_send_all", sent)  # noqa: B010 -- mypy minds the plain one


def clock_off(seconds: str) -> None:
    """Let this process's clock be ahead by *seconds*, or behind."""
    offset_ms = int(float(seconds) * 1000)
    now_ms = clock.SystemClock.now_ms

    def off(self: clock.SystemClock) -> int:
        return now_ms(self) + offset_ms

    setattr(clock.SystemClock, "now_ms", off)  # noqa: B010 -- mypy minds the plain one


def listener_raises(which: str) -> None:
    """Let the rebalance listener raise once: inside ``assigned`` or ``revoked``."""
    original = getattr(consumer_group.GroupConsumer, which)
    hindered = False

    @functools.wraps(original)
    def raising(
        member: consumer_group.GroupConsumer, places: set[aiokafka.TopicPartition]
    ) -> None:
        nonlocal hindered
        if places and not hindered:
            hindered = True
            raise RuntimeError("hindered")
        original(member, places)

    setattr(consumer_group.GroupConsumer, which, raising)


def poll_raises(file: str) -> None:
    """Let ``getmany`` raise as long as *file* is there, as after a broken heartbeat."""
    getmany = aiokafka.AIOKafkaConsumer.getmany

    @functools.wraps(getmany)
    async def raising(
        consumer: aiokafka.AIOKafkaConsumer,
        *partitions: aiokafka.TopicPartition,
        timeout_ms: int = 0,
        max_records: int | None = None,
    ) -> dict[aiokafka.TopicPartition, list[event_decoder.Consumed]]:
        if pathlib.Path(file).exists():  # noqa: ASYNC240 -- a test has time
            raise aiokafka.errors.KafkaError("hindered")
        found: dict[aiokafka.TopicPartition, list[event_decoder.Consumed]]
        found = await getmany(
            consumer, *partitions, timeout_ms=timeout_ms, max_records=max_records
        )
        return found

    aiokafka.AIOKafkaConsumer.getmany = raising


def cancellation_leaks(file: str) -> None:
    """
    Let aiokafka cancel what it awaits, and let that out, as long as *file* is there.

    In a poll, at the end of ``stop`` (seen in aiokafka 0.14, whose fetcher cancels its
    tasks and awaits them), and in a commit.
    """
    for owner, name, before in (
        (aiokafka.AIOKafkaConsumer, "getmany", True),
        (aiokafka.AIOKafkaConsumer, "stop", False),
        (aiokafka.AIOKafkaProducer, "commit_transaction", True),
    ):
        setattr(owner, name, _leaking(getattr(owner, name), file, before=before))


def _leaking(
    original: Callable[..., Awaitable[object]], file: str, *, before: bool
) -> Callable[..., Awaitable[object]]:
    """Return *original* with a cancellation *before* it or after it."""

    @functools.wraps(original)
    async def leaking(*arguments: object, **named: object) -> object:
        leaks = pathlib.Path(file).exists()  # noqa: ASYNC240 -- a test has time
        result = None if leaks and before else await original(*arguments, **named)
        if leaks:
            await asyncio.sleep(0)
            raise asyncio.CancelledError
        return result

    return leaking


_HINDRANCES: dict[str, Callable[[str], None]] = {
    each.__name__: each
    for each in (
        slow_restore,
        frozen_inside,
        stuck_inside,
        clock_off,
        listener_raises,
        poll_raises,
        cancellation_leaks,
    )
}

if __name__ == "__main__":
    _HINDRANCES[sys.argv[1]](sys.argv[2])
    sys.argv = [sys.argv[0], *sys.argv[3:]]
    cli.main()
