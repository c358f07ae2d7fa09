"""The metrics: what is defined is exported, in closed words."""

import enum
from collections.abc import Callable

import pytest

import worker
from tests.unit.telemetry import conftest, kit
from worker import http_server, ledger, model, telemetry
from worker.telemetry import label_sets, labels, metric_defs, metric_types, metrics

SOURCES = ("one", "two")


@pytest.fixture
def counters() -> metrics.Metrics:
    """Return fresh metrics of two sources."""
    return metrics.Metrics(SOURCES)


def _first(domain: metric_types.Domain) -> object:
    return next(iter(domain)) if issubclass(domain, enum.StrEnum) else "one"


def touch(counters: metrics.Metrics) -> None:
    """Use every metric once, with the first value of each label."""
    for attribute, definition in metric_defs.DEFINITIONS.items():
        values = [_first(domain) for domain in definition.labels.values()]
        metric: metric_types.AnyMetric = getattr(counters, attribute)
        match metric:
            case metric_types.Counter() as counter:
                counter.inc(*values)
            case metric_types.Gauge() as gauge:
                gauge.set(1, *values)
            case metric_types.Histogram() as histogram:
                histogram.observe(1, *values)
            case _:
                pytest.fail(f"{attribute} has another type")


def test_what_is_defined_is_exported(counters: metrics.Metrics) -> None:
    """Names, kinds and labels, no more and no fewer."""
    touch(counters)

    found = {
        family.name.removesuffix("_total"): (
            family.type,
            family.documentation,
            frozenset().union(*(sample.labels for sample in family.samples)) - {"le"},
        )
        for family in kit.exported(counters).values()
        if family.name.startswith("kyc_") and family.name != "kyc_build_info"
    }
    assert found == {
        metric.name.removesuffix("_total"): (
            metric.kind,
            metric.text,
            frozenset(metric.labels),
        )
        for metric in metric_defs.CATALOGUE
    }


@pytest.mark.parametrize("metric", metric_defs.CATALOGUE, ids=lambda each: each.name)
def test_names_follow_prometheus(metric: metric_types.AnyMetric) -> None:
    """Counters end in ``_total``; durations and timestamps are in seconds."""
    assert metric.name.startswith("kyc_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    if metric.kind == "histogram":
        assert metric.name.endswith(
            ("_duration_seconds", "_latency_seconds", "_lag_seconds")
        )
    for word in ("_age", "_milliseconds", "_ms", "_minutes"):
        assert word not in metric.name


def test_each_name_is_defined_once() -> None:
    """No two attributes record the same metric."""
    names = [metric.name for metric in metric_defs.CATALOGUE]
    assert len(set(names)) == len(names)


def test_a_counter_counts(counters: metrics.Metrics) -> None:
    """By one, or by an amount; positional or by keyword it is the same series."""
    counters.callbacks.inc("one", labels.CallbackResult.ACCEPTED)
    counters.callbacks.inc(result=labels.CallbackResult.ACCEPTED, source="one")
    counters.callbacks.add(5, "one", result=labels.CallbackResult.ACCEPTED)

    at = {"source": "one", "result": "accepted"}
    assert kit.value(counters, "kyc_callbacks_total", **at) == 7


def test_a_gauge_can_fall(counters: metrics.Metrics) -> None:
    """Kafka that is gone again is not reachable."""
    counters.kafka_reachable.set(1)
    counters.kafka_reachable.set(0)

    assert kit.value(counters, "kyc_kafka_reachable") == 0


def test_a_histogram_has_the_buckets_of_its_definition(
    counters: metrics.Metrics,
) -> None:
    """And the sum of what was observed."""
    counters.commit_duration.observe(0.02)
    counters.commit_duration.observe(0.5)

    name = "kyc_commit_duration_seconds"
    assert kit.value(counters, f"{name}_sum") == 0.52
    assert kit.value(counters, f"{name}_bucket", le="0.025") == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.callbacks.inc("one", "anything"),
        lambda it: it.callbacks.inc(source="one", result="anything"),
        lambda it: it.callbacks.inc("one", model.Outcome.APPROVED),
        lambda it: it.callbacks.inc(labels.CallbackResult.ACCEPTED, "one"),
        lambda it: it.callbacks.inc("one"),
        lambda it: it.callbacks.inc("one", labels.CallbackResult.ACCEPTED, "more"),
        lambda it: it.secrets_matched.inc("one", "signed_url", "3"),
        lambda it: it.alarms.inc("one", "Quarantined"),
        lambda it: it.alarms.inc("one", None),
        lambda it: it.kafka_reachable.set(1, "one"),
    ],
)
def test_a_label_with_another_value_is_an_error(
    counters: metrics.Metrics, call: Callable[[object], None]
) -> None:
    """Labels are closed, also for a caller that no type checker has read."""
    for _ in range(2):
        counters.callbacks.inc("one", labels.CallbackResult.ACCEPTED)
        counters.callbacks.inc(source="one", result=labels.CallbackResult.ACCEPTED)
        counters.alarms.inc("one", model.AlarmKind.QUARANTINED)
        with pytest.raises((TypeError, ValueError)):
            call(counters)


def test_no_outside_caller_chooses_a_label(counters: metrics.Metrics) -> None:
    """A source that is not configured is counted as unknown, and not remembered."""
    for name in ("three", "", "one\n", "../one"):
        counters.callbacks.inc(name, labels.CallbackResult.NOT_FOUND)

    at = {"source": "unknown", "result": "not_found"}
    assert kit.value(counters, "kyc_callbacks_total", **at) == 4
    assert not counters.callbacks._found


@pytest.mark.parametrize(
    ("position", "label"), [(0, "0"), (1, "1"), (2, "2"), (3, "later"), (9, "later")]
)
def test_positions_are_bounded(position: int, label: str) -> None:
    """A long list of secrets makes no long list of series."""
    assert labels.SecretPosition.of(position).value == label


@pytest.mark.parametrize(
    ("status", "label"),
    [
        *((200, "success"), (302, "success")),
        *((400, "client_error"), (499, "client_error")),
        *((500, "server_error"), (503, "server_error")),
    ],
)
def test_responses_are_counted_by_class(status: int, label: str) -> None:
    """There are three, whatever statuses there are."""
    assert labels.HttpResult.of(status).value == label


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("kyc_alarms_total", "kind", model.AlarmKind),
        ("kyc_dead_letters_total", "reason", model.DeadLetterReason),
        ("kyc_session_milestones_total", "milestone", ledger.Milestone),
    ],
)
def test_what_rules_ask_for_starts_from_zero(
    counters: metrics.Metrics, name: str, label: str, values: list[str]
) -> None:
    """The first of each is an increase that a rule can see."""
    for value in values:
        for source in (*SOURCES, "unknown"):
            at = {"source": source, label: str(value)}
            assert kit.value(counters, name, **at) == 0


def test_without_sources_too() -> None:
    """A reason alone starts from zero, and so does no label at all."""
    counters = metrics.Metrics([])
    for reason in http_server.CloseReason:
        at = {"reason": reason.value}
        assert kit.value(counters, "kyc_http_connections_closed_total", **at) == 0
    assert kit.value(counters, "kyc_log_values_dropped_total") == 0


def test_gauges_may_be_set_at_the_last_moment(counters: metrics.Metrics) -> None:
    """What is only read at a scrape is computed then."""
    counters.on_scrape(lambda: counters.owned_partitions.set(42))

    assert kit.value(counters, "kyc_owned_partitions") == 42


def test_the_process_python_and_the_build_are_exported(
    counters: metrics.Metrics,
) -> None:
    """Memory, processor time, garbage collection and versions."""
    families = kit.exported(counters)

    (build,) = families["kyc_build_info"].samples
    assert build.labels == {"version": worker.__version__}
    assert {
        "process_resident_memory_bytes",
        "process_cpu_seconds",
        "python_gc_collections",
        "python_info",
    } <= set(families)


def test_two_sets_of_metrics_do_not_meet() -> None:
    """Each has its own registry: tests and processes share nothing."""
    first, second = metrics.Metrics(SOURCES), metrics.Metrics(SOURCES)
    first.alarms.inc("one", model.AlarmKind.PROVIDER_SUBSCRIPTION)

    at = {"source": "one", "kind": "provider_subscription"}
    assert kit.value(first, "kyc_alarms_total", **at) == 1
    assert kit.value(second, "kyc_alarms_total", **at) == 0


def test_a_definition_needs_two_places() -> None:
    """The definition is enough to be recorded, and its unit is in its name."""
    metric = metric_types.Counter(
        "kyc_example_bytes_total", "An example.", label_sets.Source
    )

    assert metric.unit == "bytes"
    assert metric.labels == {"source": str}


def test_an_alarm_is_a_line_and_a_count(
    counters: metrics.Metrics, written: conftest.Written
) -> None:
    """The counter pages the operator on call, and the line says where."""
    telemetry.alarm(
        counters, model.AlarmKind.QUARANTINED, "one", session="5e55", partition=3
    )

    (line,) = written.lines
    del line["timestamp"]
    assert line == {
        "level": "error",
        "event": "alarm.raised",
        "kind": "quarantined",
        "source": "one",
        "session": "5e55",
        "partition": 3,
    }
    at = {"source": "one", "kind": "quarantined"}
    assert kit.value(counters, "kyc_alarms_total", **at) == 1


def test_an_alarm_says_no_more_than_it_knows(
    counters: metrics.Metrics, written: conftest.Written
) -> None:
    """Without source, session and partition it is counted as of no source."""
    telemetry.alarm(counters, model.AlarmKind.TOPIC_MISMATCH, "")

    assert {"session", "partition"}.isdisjoint(written.lines[0])
    at = {"source": "unknown", "kind": "topic_mismatch"}
    assert kit.value(counters, "kyc_alarms_total", **at) == 1
