"""The metrics: what is catalogued is exported, in closed words."""

from collections.abc import Callable

import pytest

import worker
from tests.unit.telemetry import conftest, kit
from worker import errors, http_server, ledger, model, telemetry
from worker.telemetry import labels, metric_defs, metrics

SOURCES = ("one", "two")


@pytest.fixture
def counters() -> metrics.Metrics:
    """Return fresh metrics of two sources."""
    return metrics.Metrics(SOURCES)


def touch(counters: metrics.Metrics) -> None:
    """Use every method once."""
    counters.callback("one", labels.CallbackResult.ACCEPTED)
    counters.verification_failed("one", errors.AuthCause.WRONG_SIGNATURE)
    counters.secret_matched("one", labels.Authenticator.SIGNED_URL, 0)
    counters.returned("one", labels.ReturnEndpoint.RETURN, labels.ReturnResult.TAKEN)
    counters.api_request("one", labels.ApiResult.BEGUN)
    counters.begin_called("one", 0.2)
    counters.begins_unresolved({"one": 1})
    counters.begin_recovered("one")
    counters.begin_forgotten("one")
    counters.http(6, 7_000)
    counters.connection_closed(http_server.CloseReason.UNREAD)
    counters.produced(0.01)
    counters.events_behind(3)
    counters.fetched("one", labels.FetchResult.SUCCESS, 0.1)
    counters.session_event("one", ledger.CounterKind.RETRY)
    counters.milestone("one", ledger.Milestone.CALLBACKS_MISSED)
    counters.decided(kit.decision(kit.APPROVED, kit.BY_CALLBACK))
    counters.dead_letter("one", model.DeadLetterReason.STALE)
    counters.open_sessions(4)
    counters.oldest_pending(5.5)
    counters.committed(7, 0.02)
    counters.kafka_reachable(reachable=True)
    counters.owned_partitions(8)
    counters.partition_failed(labels.PartitionFailure.OWNERSHIP_LOST)
    counters.restored(9, 1.5)
    counters.alarm(model.AlarmKind.QUARANTINED)
    counters.log_values_dropped(2)


def test_the_catalogue_is_what_is_exported(counters: metrics.Metrics) -> None:
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
            metric.kind.value,
            metric.text,
            frozenset(metric.labels),
        )
        for metric in metric_defs.CATALOGUE
    }


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("kyc_callbacks_total", {"source": "one", "result": "accepted"}, 1),
        (
            "kyc_verification_failures_total",
            {"source": "one", "cause": "wrong_signature"},
            1,
        ),
        (
            "kyc_secrets_matched_total",
            {"source": "one", "authenticator": "signed_url", "position": "0"},
            1,
        ),
        (
            "kyc_returns_total",
            {"source": "one", "way": "return", "result": "taken"},
            1,
        ),
        ("kyc_api_requests_total", {"source": "one", "result": "begun"}, 1),
        ("kyc_begin_seconds_sum", {"source": "one"}, 0.2),
        ("kyc_begins_unresolved", {"source": "one"}, 1),
        ("kyc_begins_recovered_total", {"source": "one"}, 1),
        ("kyc_begins_forgotten_total", {"source": "one"}, 1),
        ("kyc_http_connections", {}, 6),
        ("kyc_http_buffered_bytes", {}, 7_000),
        ("kyc_http_connections_closed_total", {"reason": "unread"}, 1),
        ("kyc_produce_seconds_count", {}, 1),
        ("kyc_produce_seconds_sum", {}, 0.01),
        ("kyc_events_behind", {}, 3),
        ("kyc_fetches_total", {"source": "one", "result": "result"}, 1),
        ("kyc_fetch_seconds_sum", {"source": "one"}, 0.1),
        ("kyc_ledger_notes_total", {"source": "one", "kind": "retry"}, 1),
        ("kyc_retries_total", {"source": "one"}, 1),
        (
            "kyc_registered_sessions_total",
            {"source": "one", "step": "callbacks_missed"},
            1,
        ),
        (
            "kyc_decisions_total",
            {"source": "one", "outcome": "approved", "final": "true"},
            1,
        ),
        ("kyc_decision_latency_seconds_sum", {"source": "one"}, 2.5),
        ("kyc_dead_letters_total", {"source": "one", "reason": "stale"}, 1),
        ("kyc_open_sessions", {}, 4),
        ("kyc_oldest_pending_seconds", {}, 5.5),
        ("kyc_records_committed_total", {}, 7),
        ("kyc_commit_seconds_sum", {}, 0.02),
        ("kyc_kafka_reachable", {}, 1),
        ("kyc_owned_partitions", {}, 8),
        ("kyc_partition_failures_total", {"reason": "ownership_lost"}, 1),
        ("kyc_records_restored_total", {}, 9),
        ("kyc_restore_seconds_sum", {}, 1.5),
        ("kyc_alarms_total", {"kind": "quarantined"}, 1),
        ("kyc_log_values_dropped_total", {}, 2),
    ],
)
def test_each_method_moves_its_metric(
    counters: metrics.Metrics, name: str, at: dict[str, str], expected: float
) -> None:
    """What is told is what is exported."""
    touch(counters)

    assert kit.value(counters, name, **at) == expected


def test_a_gauge_can_fall(counters: metrics.Metrics) -> None:
    """Kafka that is gone again is not reachable."""
    counters.kafka_reachable(reachable=True)
    counters.kafka_reachable(reachable=False)

    assert kit.value(counters, "kyc_kafka_reachable") == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.callback("one", "accepted"),
        lambda it: it.callback("one", model.Outcome.APPROVED),
        lambda it: it.callback(None, labels.CallbackResult.ACCEPTED),
        lambda it: it.verification_failed("one", "anything"),
        lambda it: it.secret_matched("one", "signed_url", 0),
        lambda it: it.api_request("one", "begun"),
        lambda it: it.returned("one", "return", labels.ReturnResult.TAKEN),
        lambda it: it.fetched("one", "result", 0.1),
        lambda it: it.session_event("one", "retry"),
        lambda it: it.dead_letter("one", "stale"),
        lambda it: it.partition_failed("other"),
        lambda it: it.alarm("quarantined"),
        lambda it: it.alarm(None),
    ],
)
def test_a_label_of_another_type_is_an_error(
    counters: metrics.Metrics, call: Callable[[object], None]
) -> None:
    """Labels are closed types: the right text is refused, even one used before."""
    counters.callback("one", labels.CallbackResult.ACCEPTED)
    counters.alarm(model.AlarmKind.QUARANTINED)
    with pytest.raises(TypeError):
        call(counters)


def test_nobody_outside_chooses_a_label(counters: metrics.Metrics) -> None:
    """A source that is not configured is counted as unknown."""
    for name in ("three", "", "one\n", "../one"):
        counters.callback(name, labels.CallbackResult.NOT_FOUND)

    assert (
        kit.value(counters, "kyc_callbacks_total", source="unknown", result="not_found")
        == 4
    )


@pytest.mark.parametrize(
    ("position", "label"), [(0, "0"), (1, "1"), (2, "2"), (3, "later"), (9, "later")]
)
def test_positions_are_bounded(
    counters: metrics.Metrics, position: int, label: str
) -> None:
    """A long list of secrets makes no long list of series."""
    counters.secret_matched("one", labels.Authenticator.BASIC, position)

    at = {"source": "one", "authenticator": "basic", "position": label}
    assert kit.value(counters, "kyc_secrets_matched_total", **at) == 1


def test_latency_is_of_callbacks_alone(counters: metrics.Metrics) -> None:
    """A poll has no receipt to count from; differing clocks give no less than 0."""
    counters.decided(kit.decision(kit.PENDING, kit.BY_POLL))
    counters.decided(kit.decision(kit.PENDING, kit.BY_RETURN))
    counters.decided(kit.decision(kit.PENDING, kit.BY_CALLBACK, decided_at=9_000))

    at = {"source": "one"}
    assert kit.value(counters, "kyc_decision_latency_seconds_count", **at) == 1
    assert kit.value(counters, "kyc_decision_latency_seconds_sum", **at) == 0
    at = {"source": "one", "outcome": "pending", "final": "false"}
    assert kit.value(counters, "kyc_decisions_total", **at) == 3


@pytest.mark.parametrize("kind", list(ledger.CounterKind))
def test_only_what_is_tried_again_is_a_retry(
    counters: metrics.Metrics, kind: ledger.CounterKind
) -> None:
    """Failures and results not ready are; repeats and late verdicts are not."""
    counters.session_event("one", kind)

    retried = kit.value(counters, "kyc_retries_total", source="one") is not None
    assert retried == (kind in {ledger.CounterKind.RETRY, ledger.CounterKind.NOT_READY})


def test_alarms_and_dead_letters_start_from_zero(counters: metrics.Metrics) -> None:
    """The first of each is an increase that a rule can see."""
    for kind in model.AlarmKind:
        assert kit.value(counters, "kyc_alarms_total", kind=kind.value) == 0
    for reason in model.DeadLetterReason:
        for source in (*SOURCES, "unknown"):
            at = {"source": source, "reason": reason.value}
            assert kit.value(counters, "kyc_dead_letters_total", **at) == 0


def test_gauges_may_be_set_at_the_last_moment(counters: metrics.Metrics) -> None:
    """Ages are computed when they are asked for."""
    counters.on_scrape(lambda: counters.oldest_pending(42))

    assert kit.value(counters, "kyc_oldest_pending_seconds") == 42


def test_the_process_and_the_build_are_exported(counters: metrics.Metrics) -> None:
    """Memory, processor time and version."""
    families = kit.exported(counters)

    (build,) = families["kyc_build_info"].samples
    assert build.labels["version"] == worker.__version__
    assert "process_resident_memory_bytes" in families
    assert "process_cpu_seconds" in families


def test_two_sets_of_metrics_do_not_meet() -> None:
    """Each has its own registry: tests and processes share nothing."""
    first, second = metrics.Metrics(SOURCES), metrics.Metrics(SOURCES)
    first.alarm(model.AlarmKind.PROVIDER_SUBSCRIPTION)

    assert kit.value(second, "kyc_alarms_total", kind="provider_subscription") == 0


def test_an_alarm_is_a_line_and_a_count(
    counters: metrics.Metrics, written: conftest.Written
) -> None:
    """Who is on call is told by the counter, and where by the line."""
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
    assert kit.value(counters, "kyc_alarms_total", kind="quarantined") == 1


def test_an_alarm_says_no_more_than_it_knows(
    counters: metrics.Metrics, written: conftest.Written
) -> None:
    """Without session and partition they are not there."""
    telemetry.alarm(counters, model.AlarmKind.PROVIDER_SUBSCRIPTION, "one")

    assert {"session", "partition"}.isdisjoint(written.lines[0])
