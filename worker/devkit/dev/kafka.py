"""Have a Kafka: the embedded broker, or the one that KAFKA_BOOTSTRAP_SERVERS names."""

import contextlib
import dataclasses
import hashlib
import pathlib
import secrets
from collections.abc import AsyncIterator, Mapping

from aiokafka import admin, errors

from worker.devkit import broker

_EXISTING = "KAFKA_BOOTSTRAP_SERVERS"
_PREFERRED_PORT = 9092


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """A Kafka that answers; *node* is None where it is not ours."""

    bootstrap_servers: str
    topic_prefix: str
    node: broker.Node | None = None


@contextlib.asynccontextmanager
async def have(
    environ: Mapping[str, str], data_dir: pathlib.Path | None
) -> AsyncIterator[Kafka]:
    """
    Yield a Kafka; what is not kept in *data_dir* is deleted at the end.

    In a Kafka that is not ours the topics have a prefix of their own, so that they
    meet nobody else's. Raises broker.BrokerError.
    """
    if existing := environ.get(_EXISTING):
        prefix = f"kyc-dev-{_mark(data_dir)}"
        yield Kafka(bootstrap_servers=existing, topic_prefix=prefix)
        if data_dir is None:
            # One that has gone keeps them: there is nobody to ask.
            with contextlib.suppress(errors.KafkaError):
                await _delete_topics(existing, f"{prefix}.")
        return
    folder = data_dir / "kafka" if data_dir else None
    cluster = broker.Cluster(data_dir=folder, preferred_port=_PREFERRED_PORT)
    async with cluster:
        yield Kafka(
            bootstrap_servers=cluster.bootstrap_servers,
            topic_prefix="kyc",
            node=cluster.nodes[0],
        )


def _mark(data_dir: pathlib.Path | None) -> str:
    """Return what tells these topics from those of others; the same for a folder."""
    if data_dir is None:
        return secrets.token_hex(4)
    return hashlib.sha256(str(data_dir.absolute()).encode()).hexdigest()[:8]


async def _delete_topics(bootstrap_servers: str, prefix: str) -> None:
    client = admin.AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        topics = await client.list_topics()
        if ours := [topic for topic in topics if topic.startswith(prefix)]:
            await client.delete_topics(ours)
    finally:
        await client.close()
