"""Create the topics, check them, and refuse to go on where they differ."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiokafka
import structlog
from aiokafka import admin
from aiokafka import errors as theirs

from worker import errors, settings
from worker.kafka import (
    aiokafka_patches,
    connectivity,
    error_mapping,
    error_messages,
    topic_inspection,
    topic_specs,
)

# Metadata of a new topic reach every broker some time after it was created.
_APPEAR_S = 30.0
_APPEAR_POLL_S = 0.1
_REQUEST_MS = 10_000
_SETTINGS_REFUSED = frozenset(
    {theirs.InvalidConfigurationError.errno, theirs.PolicyViolationError.errno}
)
_log = structlog.get_logger()
_DENIED = frozenset(
    {
        theirs.TopicAuthorizationFailedError.errno,
        theirs.ClusterAuthorizationFailedError.errno,
    }
)


async def create(kafka: settings.Kafka) -> list[str]:
    """
    Create the topics that are missing and return their names; idempotent.

    What exists is left as it is: ``check`` says how it differs. Raises
    errors.TopicMismatch where the broker refuses, errors.KafkaUnavailable.
    """
    specs = topic_specs.specs(kafka)
    with error_mapping.as_unavailable("creating topics"):
        async with _client(kafka) as client:
            found = await topic_inspection.describe(
                client, [each.name for each in specs]
            )
            missing = [each for each in specs if found[each.name] is None]
            if missing:
                await _create(kafka, missing)
                await _appeared(client, missing)
    return [each.name for each in missing]


async def check(kafka: settings.Kafka, *, session_retention_ms: int) -> None:
    """
    Return if every topic is as it must be; never creates one.

    Raises errors.TopicMismatch with one sentence a difference (what is, what must
    be, what to do), errors.KafkaUnavailable, and errors.KafkaUnauthorised where a
    topic may not be looked at.
    """
    specs = topic_specs.specs(kafka)
    with error_mapping.as_unavailable("checking topics"):
        async with _client(kafka) as client:
            found = await topic_inspection.describe(
                client, [each.name for each in specs]
            )
    if denied := [name for name, fact in found.items() if fact and fact.denied]:
        operations = "Describe and DescribeConfigs"
        raise errors.KafkaUnauthorised(error_messages.no_rights(operations, denied))
    problems = [
        problem
        for spec in specs
        for problem in topic_inspection.differences(
            spec, found[spec.name], kafka, session_retention_ms=session_retention_ms
        )
    ]
    if problems:
        raise errors.TopicMismatch(problems)


async def recheck(
    client: aiokafka.AIOKafkaClient, kafka: settings.Kafka, names: Sequence[str]
) -> None:
    """
    Return if the topics *names* (full ones) are still those that were checked.

    A running process asks this before it touches them anew. *client* must be
    bootstrapped; the caller brings the deadline. Raises errors.TopicMismatch, and
    what aiokafka raises.
    """
    specs = [each for each in topic_specs.specs(kafka) if each.name in names]
    found = await topic_inspection.describe(client, [each.name for each in specs])
    problems = [
        problem
        for spec in specs
        for problem in topic_inspection.replaced(spec, found[spec.name])
    ]
    if problems:
        raise errors.TopicMismatch(problems)


def _client_args(kafka: settings.Kafka) -> dict[str, Any]:
    timeout_ms = min(kafka.request_timeout, _REQUEST_MS)
    return {**kafka.client_args(), "request_timeout_ms": timeout_ms}


@contextlib.asynccontextmanager
async def _client(kafka: settings.Kafka) -> AsyncIterator[aiokafka.AIOKafkaClient]:
    await connectivity.ensure_reachable(kafka)
    client = aiokafka.AIOKafkaClient(**_client_args(kafka))
    try:
        await client.bootstrap()
        yield client
    finally:
        await aiokafka_patches.discard_client(client)


async def _create(kafka: settings.Kafka, missing: Sequence[topic_specs.Spec]) -> None:
    """
    Ask the controller for *missing*; another process may be quicker.

    Tuning that the broker's policy refuses is left out, with a warning.
    """
    specs = {each.name: each for each in missing}
    asked = list(missing)
    while asked:
        refused = await _ask(kafka, asked)
        asked, problems = [], []
        for name, code, message in refused:
            tuning = specs[name].tuning
            if code not in _SETTINGS_REFUSED or not tuning:
                problems.append(_refusal(specs[name], code, message))
                continue
            named = [each for each in tuning if each in (message or "")]
            left_out = named or list(tuning)
            specs[name] = specs[name].without(left_out)
            asked.append(specs[name])
            _log.warning(
                "topic.tuning_left_out", topic=name, settings=",".join(left_out)
            )
        if problems:
            raise errors.TopicMismatch(problems)


async def _ask(
    kafka: settings.Kafka, missing: Sequence[topic_specs.Spec]
) -> list[tuple[str, int, str | None]]:
    """Return what the controller refuses of *missing*: topic, code, its words."""
    client = admin.AIOKafkaAdminClient(**_client_args(kafka))
    try:
        await client.start()
        answer = await client.create_topics(
            [
                admin.NewTopic(
                    each.name,
                    each.partitions,
                    each.replication_factor,
                    topic_configs=each.configs,
                )
                for each in missing
            ]
        )
    except AttributeError as error:  # seen in aiokafka 0.14, as a broker came back
        raise errors.KafkaUnavailable("the cluster has no controller yet") from error
    finally:
        await client.close()
    if denied := [each[0] for each in answer.topic_errors if each[1] in _DENIED]:
        raise errors.KafkaUnauthorised(error_messages.no_rights("Create", denied))
    return [
        each
        for each in answer.topic_errors
        if each[1] not in {theirs.NoError.errno, theirs.TopicAlreadyExistsError.errno}
    ]


def _refusal(spec: topic_specs.Spec, code: int, message: str | None) -> str:
    name = spec.name
    reason = message or theirs.for_code(code).__name__
    if code == theirs.InvalidReplicationFactorError.errno:
        return (
            f"{name} cannot be created: {reason} Start more brokers, or set"
            ' kafka.durability = "single-broker" and kafka.replication_factor = 1.'
        )
    return (
        f"{name} cannot be created: {reason} Create it by hand with what the broker"
        f" permits, `kyc-worker topics --check` says what must be: `{spec.command}`"
    )


async def _appeared(
    client: aiokafka.AIOKafkaClient, missing: Sequence[topic_specs.Spec]
) -> None:
    """Return when *missing* are known, so that nothing asks for them too early."""
    names = [each.name for each in missing]
    async with asyncio.timeout(_APPEAR_S):
        while None in (await topic_inspection.describe(client, names)).values():  # noqa: ASYNC110 -- the broker has no event for it
            await asyncio.sleep(_APPEAR_POLL_S)
