"""What is counted of decisions, fetches and partitions."""

import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import inputs, pipeline
from tests.unit.telemetry import kit
from worker import errors, ledger, model
from worker.app import worker
from worker.pipeline import telemetry
from worker.telemetry import metrics

SOURCE = inputs.KEY.source


@pytest.fixture
def counters() -> metrics.Metrics:
    """Return fresh metrics of the decisions' source and of the rig's."""
    return metrics.Metrics(["one", SOURCE])


@pytest.fixture
def observer(counters: metrics.Metrics) -> telemetry.WorkerTelemetry:
    """Return what counts there."""
    return telemetry.WorkerTelemetry(counters, clocks.ManualClock())


def test_latency_is_of_callbacks_alone(
    counters: metrics.Metrics, observer: telemetry.WorkerTelemetry
) -> None:
    """A poll has no receipt to count from; differing clocks give no less than 0."""
    observer.decided(kit.decision(kit.PENDING, kit.BY_POLL))
    observer.decided(kit.decision(kit.PENDING, kit.BY_RETURN))
    observer.decided(kit.decision(kit.PENDING, kit.BY_CALLBACK, decided_at=9_000))
    observer.decided(kit.decision(kit.APPROVED, kit.BY_CALLBACK))

    at = {"source": "one"}
    assert kit.value(counters, "kyc_decision_latency_seconds_count", **at) == 2
    assert kit.value(counters, "kyc_decision_latency_seconds_sum", **at) == 2.5
    at = {"source": "one", "outcome": "pending", "final": "false"}
    assert kit.value(counters, "kyc_decisions_total", **at) == 3


def test_fetches_are_counted_unless_cancelled(
    counters: metrics.Metrics, observer: telemetry.WorkerTelemetry
) -> None:
    """A cancelled one says nothing of the source."""
    for result in ("success", "success", "timeout", "cancelled"):
        observer.fetched("one", result, 0.25)

    at = {"source": "one", "result": "success"}
    assert kit.value(counters, "kyc_fetches_total", **at) == 2
    name = "kyc_fetch_duration_seconds"
    assert kit.value(counters, f"{name}_sum", source="one") == 0.75


def test_commits_and_restores_are_counted(
    counters: metrics.Metrics, observer: telemetry.WorkerTelemetry
) -> None:
    """Records and durations, and why a partition restarts."""
    observer.committed(7, 0.02)
    observer.restored(3, 9, 1.5)
    observer.partition_failed(3, errors.OwnershipLost.reason)

    assert kit.value(counters, "kyc_records_committed_total") == 7
    assert kit.value(counters, "kyc_commit_duration_seconds_sum") == 0.02
    assert kit.value(counters, "kyc_records_restored_total") == 9
    assert kit.value(counters, "kyc_restore_duration_seconds_sum") == 1.5
    at = {"reason": "ownership_lost"}
    assert kit.value(counters, "kyc_partition_failures_total", **at) == 1


def _session(
    verdict: model.Verdict | None, registered_at: int | None = None
) -> ledger.Session:
    return ledger.Session(
        provider_session_id="s",
        first_seen_at=1,
        updated_at=1,
        current_verdict=verdict,
        registered_at=registered_at,
    )


@pytest.mark.parametrize(
    ("before", "after", "verdict", "superseded", "seconds"),
    [
        (kit.PENDING, 2_500, kit.APPROVED, 0, 10),
        (None, 2_500, kit.APPROVED, 0, 10),
        (None, 99_000, kit.APPROVED, 0, 0),
        (kit.PENDING, None, kit.APPROVED, 0, None),
        (kit.PENDING, 2_500, kit.PENDING, 0, None),
        (kit.APPROVED, 2_500, kit.APPROVED, 1, None),
        (kit.APPROVED, None, kit.PENDING, 1, None),
    ],
)
def test_first_finals_are_timed_and_later_ones_counted(
    before: model.Verdict | None,
    after: int | None,
    verdict: model.Verdict,
    superseded: int,
    seconds: float | None,
) -> None:
    """From the registration, where there is one, and once a session."""
    counters = metrics.Metrics(["one"])
    telemetry.WorkerTelemetry(counters, clocks.ManualClock()).verdict_changed(
        None if before is None else _session(before),
        _session(verdict, after),
        kit.decision(verdict, kit.BY_POLL),
    )

    at = {"source": "one"}
    assert kit.value(counters, "kyc_finals_superseded_total", **at) == superseded
    assert kit.value(counters, "kyc_session_duration_seconds_sum", **at) == seconds


async def test_a_partition_reports_a_replaced_final() -> None:
    """What changes the customer's status after the fact is counted, once."""
    async with pipeline.Rig() as rig:
        name = "kyc_finals_superseded_total"
        await rig.take(inputs.event())
        await rig.bring(inputs.approved())
        assert kit.value(rig.observer.counters, name, source=SOURCE) == 0
        await rig.gathered()
        await rig.take(inputs.event(model.EventType.RECHECK_REQUESTED))
        await rig.bring(inputs.rejected())
        await rig.gathered()

        assert [d.verdict.outcome for d in rig.observer.decisions][:1] == ["approved"]
        assert kit.value(rig.observer.counters, name, source=SOURCE) == 1


async def test_gauges_of_a_source(counters: metrics.Metrics) -> None:
    """Open and oldest sessions, fetches, the queue, the circuit, and Retry-After."""
    limits = dataclasses.replace(
        pipeline.GATE, concurrency=2, circuit_failure_threshold=1
    )
    async with pipeline.Rig(gate_limits=limits) as rig:

        def value(name: str) -> float | None:
            worker.set_source_gauges(counters, [rig.partition], rig.sources)
            return kit.value(counters, name, source=SOURCE)

        oldest = "kyc_oldest_pending_session_timestamp_seconds"
        assert (value("kyc_open_sessions"), value(oldest)) == (0, 0)
        first_seen_s = rig.clock.now_ms() / 1000
        await rig.take(*(pipeline.event(number) for number in range(5)))
        await rig.wait(1_000)

        assert (value("kyc_open_sessions"), value(oldest)) == (5, first_seen_s)
        assert value("kyc_unanswered_sessions") == 5
        assert value("kyc_fetches_in_flight") == 2
        assert value("kyc_fetch_queue_sessions") == 3
        assert value("kyc_circuit_open") == 0
        assert value("kyc_fetch_paused_until_timestamp_seconds") == 0

        await rig.bring(errors.RateLimited(retry_after_ms=30_000), "tx-0")
        until = rig.clock.now_ms() / 1000 + 30
        assert value("kyc_fetch_paused_until_timestamp_seconds") == until
        await rig.bring(errors.ProviderTimeout(), "tx-1")
        assert value("kyc_circuit_open") == 1
        assert value("kyc_fetches_in_flight") == 0
