"""Read the rights that docs/operations/acls.md lists; grant them on a real broker."""

import contextlib
import pathlib
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import aiokafka
from aiokafka.protocol import admin as protocol

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "operations" / "acls.md"
_HEAD = "| user | kind | name | operations |\n"
_EXAMPLE = "kyc"  # the prefix of which the table speaks
# Kafka's own numbers: resource types, pattern types, operations, "allow".
_KINDS = {"topic": 2, "group": 3, "transactional id": 5}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}


class Right(NamedTuple):
    """One row of the page's table, for one operation."""

    user: str
    kind: str
    name: str
    operation: str


def principal(user: str) -> str:
    """Return the name of *user* at the broker: one that stands in no log by chance."""
    return f"{user}-0f3a9c"


def documented(prefix: str) -> list[Right]:
    """Return what the page's table gives, for topics that begin with *prefix*."""
    found = []
    _, _, table = PAGE.read_text().partition(_HEAD)
    for line in table.split("\n\n")[0].splitlines()[1:]:
        user, kind, name, operations = (cell.strip() for cell in line[1:-1].split("|"))
        name = name.strip("`")
        if name.startswith(f"{_EXAMPLE}."):
            name = prefix + name.removeprefix(_EXAMPLE)
        found += [Right(user, kind, name, each) for each in operations.split(", ")]
    return found


@contextlib.asynccontextmanager
async def _client(servers: str) -> AsyncIterator[aiokafka.AIOKafkaClient]:
    client = aiokafka.AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


async def grant(servers: str, rights: Iterable[Right]) -> None:
    """Grant *rights*; *servers* are those of a listener that may do everything."""
    async with _client(servers) as client:
        for right in rights:
            request = protocol.CreateAclsRequest(
                _KINDS[right.kind],
                right.name.removesuffix("*"),
                _PREFIXED if right.name.endswith("*") else _LITERAL,
                f"User:{principal(right.user)}",
                "*",
                _OPERATIONS[right.operation],
                _ALLOW,
            )
            answer = await client.send(client.get_random_node(), request)
            assert [each[0] for each in answer.creation_responses] == [0]
