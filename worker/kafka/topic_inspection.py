"""Look at topics without ever causing one to be created, and say how they differ."""

import asyncio
import dataclasses
import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka import errors as theirs
from aiokafka.protocol import admin as admin_protocol
from aiokafka.protocol import metadata

from worker import settings
from worker.kafka import topic_specs

_TOPIC = 2  # the resource type of DescribeConfigs
_FOR_EVER = -1
# A broker that is frozen keeps its connections: then the next one is asked.
_ANSWER_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """What one topic is; *denied* where we may not see it."""

    partitions: int = 0
    #: of the partition that has the fewest copies
    replication_factor: int = 0
    configs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    denied: bool = False


async def describe(
    client: aiokafka.AIOKafkaClient, names: Sequence[str]
) -> dict[str, TopicState | None]:
    """
    Return what each of *names* is, None for one that does not exist.

    Any ordinary metadata request of aiokafka 0.14 allows the broker to create the
    topics it names, with the broker's defaults: a ledger that deletes. This one
    forbids it. Raises aiokafka's errors.
    """
    answer = await _ask(
        client, metadata.MetadataRequest(list(names), allow_auto_topic_creation=False)
    )
    found: dict[str, TopicState | None] = dict.fromkeys(names)
    for code, name, _, partitions in answer.topics:
        error = theirs.for_code(code)
        if error is theirs.TopicAuthorizationFailedError:
            found[name] = TopicState(denied=True)
        elif error is not theirs.UnknownTopicOrPartitionError:
            if error not in {theirs.NoError, theirs.LeaderNotAvailableError}:
                raise error
            found[name] = TopicState(
                partitions=len(partitions),
                replication_factor=min(
                    (len(each[3]) for each in partitions), default=0
                ),
            )
    return await _with_configs(client, found)


async def _with_configs(
    client: aiokafka.AIOKafkaClient, found: dict[str, TopicState | None]
) -> dict[str, TopicState | None]:
    """Return *found* with the values in force, the broker's defaults among them."""
    seen = [name for name, fact in found.items() if fact and not fact.denied]
    if not seen:
        return found
    request = admin_protocol.DescribeConfigsRequest(
        [(_TOPIC, name, None) for name in seen], include_synonyms=False
    )
    answer = await _ask(client, request)
    for code, _, _, name, entries in answer.resources:
        fact, error = found[name], theirs.for_code(code)
        if error is theirs.TopicAuthorizationFailedError:
            found[name] = TopicState(denied=True)
        elif error is theirs.UnknownTopicOrPartitionError:
            found[name] = None
        elif error is not theirs.NoError:
            raise error
        elif fact is not None:
            configs = {entry[0]: entry[1] for entry in entries}
            found[name] = dataclasses.replace(fact, configs=configs)
    return found


async def _ask(client: aiokafka.AIOKafkaClient, request: Any) -> Any:  # noqa: ANN401 -- aiokafka ships no types
    """Return the first answer to *request* that a broker gives in time."""
    nodes = [each.nodeId for each in client.cluster.brokers()]
    random.shuffle(nodes)
    failure: Exception = theirs.NoBrokersAvailable()
    for node in nodes:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await client.send(node, request)
        except (theirs.KafkaError, TimeoutError) as error:
            failure = error
    raise failure


def differences(
    spec: topic_specs.Spec,
    fact: TopicState | None,
    kafka: settings.Kafka,
    *,
    session_retention_ms: int,
) -> Iterator[str]:
    """Yield a sentence for everything in which *fact* is not as *spec* wants it."""
    if fact is None:
        yield _missing(spec)
        return
    yield from _identity(spec, fact)
    yield from _copies(spec, fact, kafka)
    for name, least in spec.least.items():
        is_now = _number(fact.configs.get(name))
        if is_now < least and not (name == "retention.ms" and is_now == _FOR_EVER):
            held = fact.configs.get(name)
            yield _must(spec.name, name, held, f"at least {least}", str(least))
    if not spec.compacted:
        yield from _retention(spec, fact, session_retention_ms)


def replaced(spec: topic_specs.Spec, fact: TopicState | None) -> Iterator[str]:
    """
    Yield a sentence for everything that makes *fact* another topic than *spec*'s.

    That is what a running process minds: one that is gone, or was made again by a
    broker that creates whatever a client names. Its limits and copies may change.
    """
    if fact is None:
        yield _missing(spec)
    elif not fact.denied:
        yield from _identity(spec, fact)


def _missing(spec: topic_specs.Spec) -> str:
    return f"{spec.name} does not exist: run `kyc-worker topics`."


def _identity(spec: topic_specs.Spec, fact: TopicState) -> Iterator[str]:
    if fact.partitions != spec.partitions:
        yield (
            f"{spec.name} has {fact.partitions} partitions and must have"
            f" {spec.partitions}: set kafka.partitions to what all topics have, or,"
            " where nothing is lost by it, delete the topic and run"
            " `kyc-worker topics`; the number never changes later."
        )
    for name, values in spec.one_of.items():
        if fact.configs.get(name) not in values:
            wanted = f"one of {', '.join(values)}"
            yield _must(spec.name, name, fact.configs.get(name), wanted, values[0])
    for name, value in spec.exact.items():
        if fact.configs.get(name) != value:
            yield _must(spec.name, name, fact.configs.get(name), f"{value}", value)


def _copies(
    spec: topic_specs.Spec, fact: TopicState, kafka: settings.Kafka
) -> Iterator[str]:
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


def _retention(
    spec: topic_specs.Spec, fact: TopicState, identity_ms: int
) -> Iterator[str]:
    """Yield a sentence where a record could outlive what its session is known by."""
    held = _number(fact.configs.get("retention.ms"))
    if held == _FOR_EVER or held >= identity_ms:
        yield (
            f"{spec.name}: retention.ms is {held}"
            f" ({'for ever' if held == _FOR_EVER else dt.timedelta(milliseconds=held)})"
            f" and must be below ledger.session_retention, {identity_ms}"
            f" ({dt.timedelta(milliseconds=identity_ms)}): shorten it, or raise"
            " ledger.session_retention."
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
