"""
Find transactions that a broker forgot to end: their records are hidden for good.

Kafka 4.3.1 loses commit markers of partitions that have no leader while the
transaction's coordinator sends them: it takes them for deleted ones (KAFKA-20734,
seen 2026-11-21 with one broker that was killed right after a commit, one time in
twelve). The coordinator then calls the transaction complete, fencing finds nothing to
abort, and a restore would miss what was committed.
"""

import asyncio
import collections
from collections.abc import Sequence

import aiokafka
from aiokafka import errors as theirs
from aiokafka.protocol import offset as protocol

from worker import errors

_LATEST = -1
_NO_REPLICA = -1
_UNCOMMITTED, _COMMITTED = 0, 1
# A leader that has just changed may lag behind itself for a moment.
_PATIENCE_S = 3.0
_POLL_S = 0.1

_Ends = dict[str, int]


async def check(
    client: aiokafka.AIOKafkaClient, topics: Sequence[str], partition: int
) -> None:
    """
    Return if nothing written to *partition* of *topics* is hidden.

    Call it after the fence: with no transaction open, the end for readers of
    committed records is the end. The caller brings the deadline. Raises
    errors.TransactionHangs, and those errors of aiokafka's that do not pass.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_S
    while True:
        try:
            hidden = await _transactional_ids_past_lso(client, topics, partition)
        except theirs.KafkaError as error:
            if not error.retriable:
                raise
            await client.force_metadata_update()
        else:
            if not hidden:
                return
            if loop.time() > deadline:
                raise errors.HangingTransaction(
                    f"partition {partition} of {', '.join(hidden)} has records of a"
                    " hanging transaction: abort it with kafka-transactions.sh"
                )
        await asyncio.sleep(_POLL_S)


async def _transactional_ids_past_lso(
    client: aiokafka.AIOKafkaClient, topics: Sequence[str], partition: int
) -> list[str]:
    # In this order: others append to the dead letters between the two questions.
    ends = await _ends(client, topics, partition, _UNCOMMITTED)
    stable = await _ends(client, topics, partition, _COMMITTED)
    return [topic for topic in topics if stable[topic] < ends[topic]]


async def _ends(
    client: aiokafka.AIOKafkaClient,
    topics: Sequence[str],
    partition: int,
    isolation: int,
) -> _Ends:
    """Return where *partition* of each topic ends for readers of *isolation*."""
    by_leader = collections.defaultdict(list)
    for topic in topics:
        place = aiokafka.TopicPartition(topic, partition)
        by_leader[client.cluster.leader_for_partition(place)].append(topic)
    ends: _Ends = {}
    for leader, led in by_leader.items():
        if leader is None or leader == _NO_REPLICA:
            raise theirs.LeaderNotAvailableError
        asked = [(topic, [(partition, _LATEST)]) for topic in led]
        request = protocol.OffsetRequest(_NO_REPLICA, isolation, asked)
        answer = await client.send(leader, request)
        for topic, found in answer.topics:
            for _, code, _, end in found:
                if code:
                    raise theirs.for_code(code)
                ends[topic] = end
    return ends
