"""Look at who leads what on a cluster, and move the leaders about."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import aiokafka
from aiokafka import errors as theirs
from aiokafka.protocol import admin as admin_protocol
from aiokafka.protocol import api, metadata, types

#: Their one partition's leader is the coordinator, on our brokers.
OF_TRANSACTIONS = ("__transaction_state", 0)
OF_GROUPS = ("__consumer_offsets", 0)

_POLL_S = 0.1
_REQUEST_MS = 10_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """Who leads a partition, who should, and who has all of it; ids of nodes."""

    leader: int
    replicas: tuple[int, ...]
    in_sync: frozenset[int]


Layout = dict[tuple[str, int], Led]


class _ElectLeadersResponse(api.Response):  # type: ignore[misc] # -- aiokafka ships no types
    API_KEY = 43
    API_VERSION = 0
    SCHEMA = types.Schema(
        ("throttle_time_ms", types.Int32),
        (
            "topics",
            types.Array(
                ("topic", types.String("utf-8")),
                (
                    "partitions",
                    types.Array(
                        ("partition", types.Int32),
                        ("error_code", types.Int16),
                        ("error_message", types.String("utf-8")),
                    ),
                ),
            ),
        ),
    )


class _ElectLeadersStruct(api.RequestStruct):  # type: ignore[misc] # -- same
    API_KEY = 43
    API_VERSION = 0
    RESPONSE_TYPE = _ElectLeadersResponse
    SCHEMA = types.Schema(
        (
            "topics",
            types.Array(
                ("topic", types.String("utf-8")),
                ("partitions", types.Array(types.Int32)),
            ),
        ),
        ("timeout_ms", types.Int32),
    )


class _ElectLeaders(api.Request[_ElectLeadersStruct]):  # type: ignore[misc] # -- same
    """Let the preferred leader lead, of all partitions there are."""

    API_KEY = 43

    def build(self, struct: type[_ElectLeadersStruct]) -> _ElectLeadersStruct:
        """Return the request of the one version we speak."""
        return struct(None, _REQUEST_MS)


async def layout(servers: str) -> Layout:
    """Return who leads every partition there is, as one broker knows it."""
    async with _client(servers) as client:
        return await _layout(client)


async def in_sync(servers: str, nodes: int = 3) -> None:
    """Return once *nodes* brokers have all of every partition."""
    while True:
        with contextlib.suppress(theirs.KafkaError):
            found = await layout(servers)
            if found and all(len(each.in_sync) == nodes for each in found.values()):
                return
        await asyncio.sleep(_POLL_S)


async def part(servers: str) -> None:
    """Return once the two coordinators are on different brokers."""
    led = await layout(servers)
    if led[OF_GROUPS].leader == led[OF_TRANSACTIONS].leader:
        await move(servers, OF_GROUPS[0])


async def move(servers: str, only: str | None = None) -> None:
    """
    Return once the next replica leads, of every partition there is or of *only* one
    topic; the others are led by whom they should be.
    """
    async with _client(servers) as client:
        turned: dict[str, list[tuple[int, list[int], dict[int, bytes]]]] = {}
        for (topic, number), led in (await _layout(client)).items():
            if only not in {None, topic}:
                continue
            replicas = [*led.replicas[1:], led.replicas[0]]
            turned.setdefault(topic, []).append((number, replicas, {}))
        answer = await client.send(
            client.get_random_node(),  # each forwards what is for the controller
            admin_protocol.AlterPartitionReassignmentsRequest(
                _REQUEST_MS, [(topic, parts, {}) for topic, parts in turned.items()], {}
            ),
        )
        if answer.error_code:
            raise theirs.for_code(answer.error_code)
        wanted = {
            (topic, number): replicas[0]
            for topic, parts in turned.items()
            for number, replicas, _ in parts
        }
        while True:
            await client.send(client.get_random_node(), _ElectLeaders())
            found = await _layout(client)
            if all(found[place].leader == node for place, node in wanted.items()):
                return
            await asyncio.sleep(_POLL_S)


async def _layout(client: aiokafka.AIOKafkaClient) -> Layout:
    request = metadata.MetadataRequest(None, allow_auto_topic_creation=False)
    answer = await client.send(client.get_random_node(), request)
    return {
        (topic, number): Led(
            leader=leader, replicas=tuple(replicas), in_sync=frozenset(alive)
        )
        for _, topic, _, partitions in answer.topics
        for _, number, leader, replicas, alive, *_ in partitions
    }


@contextlib.asynccontextmanager
async def _client(servers: str) -> AsyncIterator[aiokafka.AIOKafkaClient]:
    client = aiokafka.AIOKafkaClient(
        bootstrap_servers=servers, request_timeout_ms=_REQUEST_MS
    )
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()
