"""Look at topics without ever causing one to be created, and say how they differ."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import aiokafka
from aiokafka import errors as theirs
from aiokafka.protocol import admin as admin_protocol
from aiokafka.protocol import metadata

from worker import settings
from worker.transport import topic_specs

_TOPIC = 2  # the resource type of DescribeConfigs
_FOR_EVER = -1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one topic is; *denied* where we may not see it."""

    partitions: int = 0
    #: of the partition that has the fewest copies
    replication_factor: int = 0
    configs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    denied: bool = False


async def look(
    client: aiokafka.AIOKafkaClient, names: Sequence[str]
) -> dict[str, Fact | None]:
    """
    Return what each of *names* is, None for one that does not exist.

    Any ordinary metadata request of aiokafka 0.14 allows the broker to create the
    topics it names, with the broker's defaults: a ledger that deletes. This one
    forbids it. Raises aiokafka's errors.
    """
    answer = await client.send(
        _node(client),
        metadata.MetadataRequest(list(names), allow_auto_topic_creation=False),
    )
    found: dict[str, Fact | None] = dict.fromkeys(names)
    for code, name, _, partitions in answer.topics:
        error = theirs.for_code(code)
        if error is theirs.TopicAuthorizationFailedError:
            found[name] = Fact(denied=True)
        elif error is not theirs.UnknownTopicOrPartitionError:
            if error not in {theirs.NoError, theirs.LeaderNotAvailableError}:
                raise error
            found[name] = Fact(
                partitions=len(partitions),
                replication_factor=min(
                    (len(each[3]) for each in partitions), default=0
                ),
            )
    return await _with_configs(client, found)


async def _with_configs(
    client: aiokafka.AIOKafkaClient, found: dict[str, Fact | None]
) -> dict[str, Fact | None]:
    """Return *found* with the values in force, the broker's defaults among them."""
    seen = [name for name, fact in found.items() if fact and not fact.denied]
    if not seen:
        return found
    request = admin_protocol.DescribeConfigsRequest(
        [(_TOPIC, name, None) for name in seen], include_synonyms=False
    )
    answer = await client.send(_node(client), request)
    for code, _, _, name, entries in answer.resources:
        fact, error = found[name], theirs.for_code(code)
        if error is theirs.TopicAuthorizationFailedError:
            found[name] = Fact(denied=True)
        elif error is theirs.UnknownTopicOrPartitionError:
            found[name] = None
        elif error is not theirs.NoError:
            raise error
        elif fact is not None:
            configs = {entry[0]: entry[1] for entry in entries}
            found[name] = dataclasses.replace(fact, configs=configs)
    return found


def _node(client: aiokafka.AIOKafkaClient) -> int:
    node: int | None = client.get_random_node()
    if node is None:
        raise theirs.NoBrokersAvailable
    return node


def differences(
    spec: topic_specs.Spec,
    fact: Fact | None,
    kafka: settings.Kafka,
    *,
    identity_retention_ms: int,
) -> Iterator[str]:
    """Yield a sentence for everything in which *fact* is not as *spec* wants it."""
    if fact is None:
        yield f"{spec.name} does not exist: run `kyc-worker topics`."
        return
    yield from _shape(spec, fact, kafka)
    for name, value in spec.exact.items():
        if fact.configs.get(name) != value:
            yield _must(spec.name, name, fact.configs.get(name), f"{value}", value)
    for name, least in spec.least.items():
        is_now = _number(fact.configs.get(name))
        if is_now < least and not (name == "retention.ms" and is_now == _FOR_EVER):
            held = fact.configs.get(name)
            yield _must(spec.name, name, held, f"at least {least}", str(least))
    if not spec.compacted:
        yield from _retention(spec, fact, identity_retention_ms)


def _shape(spec: topic_specs.Spec, fact: Fact, kafka: settings.Kafka) -> Iterator[str]:
    if fact.partitions != spec.partitions:
        yield (
            f"{spec.name} has {fact.partitions} partitions and must have"
            f" {spec.partitions}: set kafka.partitions to what all topics have, or,"
            " where nothing is lost by it, delete the topic and run"
            " `kyc-worker topics`; the number never changes later."
        )
    needed = spec.replication_factor if kafka.durability == "replicated" else 1
    if fact.replication_factor < needed:
        yield (
            f"{spec.name} is kept on {fact.replication_factor} brokers and must be on"
            f" {needed}: reassign its partitions, or set"
            ' kafka.durability = "single-broker" where losing them is no harm.'
        )
    in_sync = _number(fact.configs.get("min.insync.replicas"))
    if in_sync > fact.replication_factor:
        yield (
            f"{spec.name} is kept on {fact.replication_factor} brokers and needs"
            f" min.insync.replicas = {in_sync} of them for every write: nothing can"
            " be written; reassign its partitions to more brokers."
        )


def _retention(spec: topic_specs.Spec, fact: Fact, identity_ms: int) -> Iterator[str]:
    """Yield a sentence where a record could outlive what its session is known by."""
    held = _number(fact.configs.get("retention.ms"))
    if held == _FOR_EVER or held >= identity_ms:
        yield (
            f"{spec.name}: retention.ms is {held}"
            f" ({'for ever' if held == _FOR_EVER else dt.timedelta(milliseconds=held)})"
            f" and must be below ledger.identity_retention, {identity_ms}"
            f" ({dt.timedelta(milliseconds=identity_ms)}): shorten it, or raise"
            " ledger.identity_retention."
        )


def _must(topic: str, name: str, held: str | None, wanted: str, value: str) -> str:
    return (
        f"{topic}: {name} is {held} and must be {wanted}: set it with `kafka-configs.sh"
        f" --alter --entity-type topics --entity-name {topic}"
        f" --add-config {name}={value}`, or, where nothing is lost by it, delete the"
        " topic and run `kyc-worker topics`."
    )


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return 0
