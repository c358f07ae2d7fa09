"""Each topic's file ties together its name, its people, its records and their life."""

from typing import Any

import orjson

from tests.support import schemas
from worker import model, settings
from worker.kafka import topic_specs

_TOPICS: dict[str, dict[str, Any]] = {
    path.stem: orjson.loads(path.read_bytes())
    for path in sorted((schemas.ROOT / "topics").glob("*.json"))
}


def test_a_topic_s_file_ties_it_together() -> None:
    """Every topic says who writes and reads what; every schema has a topic."""
    used = set()

    for name, topic in _TOPICS.items():
        assert f"kyc.{name}" == topic["topic"]
        assert topic["producers"]
        assert topic["consumers"]
        assert set(topic["transactional_producers"]) <= set(topic["producers"])
        # What is compacted is kept; what is not has a time, and needs no tombstones.
        compacted = topic["cleanup_policy"] == "compact"
        assert compacted is topic["tombstones"] is (topic["retention"] is None)
        used |= {record["schema"] for record in topic["records"]}
    assert {path.name for path in schemas.ROOT.glob("*.schema.json")} == used


def test_the_topics_are_these() -> None:
    """There is a file for each topic, and one for the decisions of each outcome."""
    filtered = {f"decisions.{outcome}" for outcome in model.Outcome}

    assert {
        "events",
        "decisions",
        "ledger",
        "dlq",
        "begins",
    } | filtered == _TOPICS.keys()


def test_events_name_every_type() -> None:
    """The topic of events names the ``ce_type`` of each event there is."""
    records = _TOPICS["events"]["records"]

    assert [f"kyc.{kind}.v1" for kind in model.EventType] == [
        record["ce_type"] for record in records
    ]


def test_the_topics_are_made_as_their_files_say() -> None:
    """By default a topic is created with the clean-up and the retention of its file."""
    day_ms = 86_400_000

    for spec in topic_specs.specs(settings.Kafka()):
        topic = _TOPICS[spec.name.removeprefix("kyc.")]
        days = topic["retention"] and int(topic["retention"].removesuffix("d"))
        assert topic["cleanup_policy"] == spec.configs["cleanup.policy"]
        assert spec.configs.get("retention.ms") == (days and str(days * day_ms))


def test_every_topic_is_made() -> None:
    """There is a file for each topic that is created, and no other."""
    made = {spec.name for spec in topic_specs.specs(settings.Kafka())}

    assert {topic["topic"] for topic in _TOPICS.values()} == made
