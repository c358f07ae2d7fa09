"""
Throw away aiokafka's clients: at once, whole, whatever the broker does.

With the broker gone ``stop`` and ``abort_transaction`` of aiokafka 0.14 block for
seconds, a second ``stop`` returns while the sender lives on, and the tasks of a
cancelled sender may wait for ever on a metadata update that never comes. So nothing
here asks aiokafka to end anything: its tasks are found and cancelled, its sockets
are cut. All use of its private attributes stands in this file.
"""

import asyncio
import contextlib
from typing import Any

import aiokafka
from aiokafka import client as clients
from aiokafka import conn as connections
from aiokafka import errors as theirs
from aiokafka.protocol import group as group_protocol
from aiokafka.protocol import transaction as protocol

from worker import cancellation, settings

# Cancelled tasks and cut sockets need a few rounds of the event loop, no more.
_GRACE_S = 0.05


def client_of(consumer: aiokafka.AIOKafkaConsumer) -> clients.AIOKafkaClient:
    """Return the client of *consumer*, which holds its connections."""
    return consumer._client  # noqa: SLF001 -- see the head of this file


async def discard_producer(producer: aiokafka.AIOKafkaProducer) -> None:
    """
    End *producer* without a word to Kafka; takes 0.1 s at most and never raises.

    The futures of records that were sent and not acknowledged never resolve: who
    awaits one needs a deadline. An open transaction is left to the next fence. Safe
    to call twice, and on a producer whose start failed or was cancelled.
    """
    producer._closed = True  # noqa: SLF001 -- see the head of this file
    producer._message_accumulator._closed = True  # noqa: SLF001 -- same
    await _cancel(_tasks_of(producer._sender))  # noqa: SLF001 -- same
    _forget_outcome(producer)
    await discard_client(producer.client)


async def discard_consumer(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """
    End *consumer* without a word to Kafka; as quick and as safe as the above.

    One in a group has to say that it leaves: ``leave_group``.
    """
    consumer._closed = True  # noqa: SLF001 -- see the head of this file
    owners = (consumer._fetcher, consumer._coordinator)  # noqa: SLF001 -- same
    await _cancel(_tasks_of(*(each for each in owners if each is not None)))
    await discard_client(consumer._client)  # noqa: SLF001 -- same


async def leave_group(consumer: aiokafka.AIOKafkaConsumer, within_s: float) -> None:
    """
    Leave the group of *consumer* and end it, *within_s* at the latest; never raises.

    A frozen coordinator answers nothing: a ``stop`` that is given up has closed
    neither the fetcher nor one connection.
    """
    # Its fetcher cancels its tasks and waits for them, and lets their cancellation out.
    with contextlib.suppress(Exception), cancellation.contained():
        async with asyncio.timeout(within_s):
            await consumer.stop()
    await discard_consumer(consumer)


async def discard_client(client: clients.AIOKafkaClient) -> None:
    """End *client*: its tasks, its requests, its sockets."""
    await _cancel(_tasks_of(client))
    client._sync_task = None  # noqa: SLF001 -- see the head of this file
    update = client._md_update_fut  # noqa: SLF001 -- same
    if update is not None:
        update.cancel()
    found = list(client._conns.values())  # noqa: SLF001 -- same
    client._conns.clear()  # noqa: SLF001 -- same
    closed = {each for each in map(abort_connection, found) if each is not None}
    if closed:
        await asyncio.wait(closed, timeout=_GRACE_S)


def preset_transaction_waiter(producer: aiokafka.AIOKafkaProducer) -> None:
    """
    Let a fatal error of *producer* reach those who wait, before ``start``.

    Before the first ``begin_transaction``, and always without transactions,
    aiokafka's handler of fatal errors raises AttributeError instead: it sets the
    outcome of a transaction that is None.
    """
    manager = producer._txn_manager  # noqa: SLF001 -- see the head of this file
    manager._transaction_waiter = asyncio.get_running_loop().create_future()  # noqa: SLF001 -- same


def sender_error(producer: aiokafka.AIOKafkaProducer) -> BaseException | None:
    """
    Return what the producer's sender died of, or else what spoilt its transaction.

    None while all is well. A transaction that may only be aborted (a right is
    missing) fails its records of something else, aiokafka 0.14, seen 2026-11-21.
    """
    task = producer._sender.sender_task  # noqa: SLF001 -- see the head of this file
    manager = producer._txn_manager  # noqa: SLF001 -- same
    waiter = manager._transaction_waiter if manager else None  # noqa: SLF001 -- same
    for each in (task, waiter):
        if each is not None and each.done() and not each.cancelled():
            error: BaseException | None = each.exception()
            if error is not None:
                return error
    return None


def sender_task(producer: aiokafka.AIOKafkaProducer) -> "asyncio.Task[None]":
    """Return the task that sends; it ends only when *producer* is of no more use."""
    task: asyncio.Task[None] = producer._sender.sender_task  # noqa: SLF001 -- same
    return task


def _tasks_of(*owners: object) -> set["asyncio.Task[Any]"]:
    """Return the tasks that run methods of *owners*; aiokafka keeps no list of them."""
    return {
        task
        for task in asyncio.all_tasks()
        if (frame := getattr(task.get_coro(), "cr_frame", None)) is not None
        and any(frame.f_locals.get("self") is owner for owner in owners)
        and task is not asyncio.current_task()
    }


async def _cancel(tasks: set["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_GRACE_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # so that asyncio does not report it as never looked at


def abort_connection(
    connection: connections.AIOKafkaConnection,
) -> "asyncio.Future[None] | None":
    """Cut the socket: an orderly close waits for what a frozen broker never reads."""
    writer = connection._writer  # noqa: SLF001 -- see the head of this file
    if writer is None:
        return None
    writer.transport.abort()
    closed: asyncio.Future[None] = connection.close(connections.CloseReason.SHUTDOWN)
    return closed


def _forget_outcome(producer: aiokafka.AIOKafkaProducer) -> None:
    """Read a result that is not awaited any more, or asyncio reports it."""
    manager = producer._txn_manager  # noqa: SLF001 -- see the head of this file
    accumulator = producer._message_accumulator  # noqa: SLF001 -- same
    waiters = [manager._transaction_waiter] if manager else []  # noqa: SLF001 -- same
    for batches in accumulator._batches.values():  # noqa: SLF001 -- same
        waiters += [batch._drain_waiter for batch in batches]  # noqa: SLF001 -- same
    for waiter in waiters:
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()


#: One answer must fit through a slow link within ``answer_timeout``.
FETCH_BYTES = 4 << 20


def apply_request_timeouts(
    consumer: aiokafka.AIOKafkaConsumer, kafka: settings.Kafka
) -> aiokafka.AIOKafkaConsumer:
    """
    Let only what waits for the group's other members wait for ``request_timeout``.

    aiokafka 0.14 has one time-out for all requests, and a JoinGroup takes as long as
    a rebalance. With that, a frozen broker holds up every fetch from it, and every
    search for the coordinator that happens to ask it, long after others lead (34 s
    seen, 2026-11-21).
    """
    client = consumer._client  # noqa: SLF001 -- aiokafka offers no other way
    client._request_timeout_ms = kafka.answer_timeout  # noqa: SLF001 -- same
    send = client.send

    async def patient(
        node_id: int,
        request: object,
        *,
        group: clients.ConnectionGroup = clients.ConnectionGroup.DEFAULT,
    ) -> Any:  # noqa: ANN401 -- the answer to any request
        coordinator = group == clients.ConnectionGroup.COORDINATION
        if coordinator and await client.ready(node_id, group=group):
            beats = isinstance(request, group_protocol.HeartbeatRequest)
            timeout_ms = kafka.answer_timeout if beats else kafka.request_timeout
            connection = client._conns[node_id, group]  # noqa: SLF001 -- same
            connection._request_timeout = timeout_ms / 1000  # noqa: SLF001 -- same
        return await send(node_id, request, group=group)

    client.send = patient
    return consumer


class EndTxnMonitor:
    """Watches the EndTxn requests of one producer, from before its start."""

    def __init__(self, producer: aiokafka.AIOKafkaProducer) -> None:
        #: whether a copy of an EndTxn request may still arrive at the broker
        self.unanswered = False
        self._send = producer.client.send
        producer.client.send = self._watched

    async def _watched(
        self,
        node_id: int,
        request: object,
        *,
        group: clients.ConnectionGroup = clients.ConnectionGroup.DEFAULT,
    ) -> object:
        try:
            answer: object = await self._send(node_id, request, group=group)
        except theirs.NodeNotReadyError:  # there was no connection: it was not sent
            raise
        except BaseException:
            if isinstance(request, protocol.EndTxnRequest):
                self.unanswered = True
            raise
        return answer
