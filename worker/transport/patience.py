"""Wait long for the other members of the group, and for no broker that is frozen."""

from typing import Any

import aiokafka
from aiokafka import client as clients
from aiokafka.protocol import group as group_protocol

from worker import settings

#: One answer must fit through a slow link within ``answer_timeout``.
FETCH_BYTES = 4 << 20


def for_members_only(
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
