"""What the tests of the telemetry share."""

import prometheus_client
import prometheus_client.parser
from prometheus_client import Metric

from worker import model, policy
from worker.telemetry import metrics

MARKER = "MARKER-4711"


def fail() -> None:
    """Raise what no log may show."""
    raise ValueError(MARKER)


def chained() -> None:
    """Raise what no log may show, because of something else."""
    try:
        fail()
    except ValueError as error:
        raise KeyError(MARKER) from error


def decision(
    verdict: model.Verdict, cause: model.Cause, decided_at: int = 12_500
) -> model.Decision:
    """Return a decision of source ``one``."""
    return model.Decision(
        decision_id="d",
        environment=model.Environment.TEST,
        source="one",
        provider="tiny",
        session_id="s",
        provider_session_id="s",
        reference=None,
        revision=1,
        verdict=verdict,
        supersedes=None,
        cause=cause,
        observed_at=None,
        decided_at=decided_at,
    )


APPROVED = policy.approved(status=None)
PENDING = policy.pending(model.Reason.IN_PROGRESS, status=None)
BY_CALLBACK = model.Cause(
    type=model.CauseType.CALLBACK, event_id="e", received_at=10_000
)
BY_POLL = model.Cause(type=model.CauseType.POLL)
BY_RETURN = model.Cause(type=model.CauseType.RETURN, event_id="e", received_at=10_000)


def exported(counters: metrics.Metrics) -> dict[str, Metric]:
    """Return what ``render`` exports, by family."""
    text = prometheus_client.generate_latest(counters.scrape()).decode()
    return {
        family.name: family
        for family in prometheus_client.parser.text_string_to_metric_families(text)
    }


def value(counters: metrics.Metrics, name: str, **at: str) -> float | None:
    """Return one sample, or None where there is none."""
    for family in exported(counters).values():
        for sample in family.samples:
            if sample.name == name and sample.labels == at:
                return sample.value
    return None
