"""Define every metric, with its labels and their values."""

import dataclasses
import enum
from collections.abc import Mapping

import prometheus_client

from worker import errors, http_server, ledger, model
from worker.telemetry import labels


class Kind(enum.StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW_S = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
#: from a few milliseconds to the days that a person's review may take
_LATENCY_S = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    *(300, 900, 3600, 21_600, 86_400, 259_200),
)


#: The labels of a metric, in order.
Domains = Mapping[str, labels.Domain]


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """One metric; *name* is as exported, of a histogram without suffix."""

    name: str
    kind: Kind
    text: str
    labels: Domains = dataclasses.field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    #: exported as zero from the start, so that the first one is an increase
    preinitialise: bool = False


CALLBACKS = Metric(
    "kyc_callbacks_total",
    Kind.COUNTER,
    "Requests to the webhook endpoints, by result.",
    {"source": labels.Source, "result": labels.CallbackResult},
)
VERIFICATION_FAILURES = Metric(
    "kyc_verification_failures_total",
    Kind.COUNTER,
    "Callbacks that failed authentication, by cause.",
    {"source": labels.Source, "cause": errors.AuthCause},
)
SECRETS_MATCHED = Metric(
    "kyc_secrets_matched_total",
    Kind.COUNTER,
    "Authentic callbacks, by the position of the matching secret in its list.",
    {
        "source": labels.Source,
        "authenticator": labels.Authenticator,
        "position": labels.SecretPosition,
    },
)
RETURNS = Metric(
    "kyc_returns_total",
    Kind.COUNTER,
    "Requests to the return endpoints, by result.",
    {
        "source": labels.Source,
        "way": labels.ReturnEndpoint,
        "result": labels.ReturnResult,
    },
)
PRODUCE_SECONDS = Metric(
    "kyc_produce_seconds",
    Kind.HISTOGRAM,
    "Time until Kafka acknowledges an event, or the request is abandoned.",
    buckets=_FAST_S,
)
HTTP_CONNECTIONS = Metric(
    "kyc_http_connections", Kind.GAUGE, "Open connections at the public port."
)
HTTP_BUFFERED_BYTES = Metric(
    "kyc_http_buffered_bytes",
    Kind.GAUGE,
    "Bytes of request bodies in memory, until their response is sent.",
)
HTTP_CONNECTIONS_CLOSED = Metric(
    "kyc_http_connections_closed_total",
    Kind.COUNTER,
    "Connections closed at the limit, or because the client read no response.",
    {"reason": http_server.CloseReason},
    preinitialise=True,
)
API_REQUESTS = Metric(
    "kyc_api_requests_total",
    Kind.COUNTER,
    "Requests to start or register sessions, by result.",
    {"source": labels.Source, "result": labels.ApiResult},
)
BEGIN_SECONDS = Metric(
    "kyc_begin_seconds",
    Kind.HISTOGRAM,
    "Duration of the requests to providers that start a session, failed ones too.",
    {"source": labels.Source},
    buckets=(*_FAST_S, 30),
)
BEGINS_UNRESOLVED = Metric(
    "kyc_begins_unresolved",
    Kind.GAUGE,
    "Session starts with unknown outcome that no running request owns.",
    {"source": labels.Source},
    preinitialise=True,
)
BEGINS_RECOVERED = Metric(
    "kyc_begins_recovered_total",
    Kind.COUNTER,
    "Session starts with unknown outcome whose session was found.",
    {"source": labels.Source},
    preinitialise=True,
)
BEGINS_FORGOTTEN = Metric(
    "kyc_begins_forgotten_total",
    Kind.COUNTER,
    "Session starts deleted because their session was never found.",
    {"source": labels.Source},
    preinitialise=True,
)
EVENTS_BEHIND = Metric(
    "kyc_events_behind",
    Kind.GAUGE,
    "Consumer lag: events not yet consumed in the partitions of this process.",
)
FETCHES = Metric(
    "kyc_fetches_total",
    Kind.COUNTER,
    "Fetches of results, by result.",
    {"source": labels.Source, "result": labels.FetchResult},
)
FETCH_SECONDS = Metric(
    "kyc_fetch_seconds",
    Kind.HISTOGRAM,
    "Duration of fetches, failed ones too.",
    {"source": labels.Source},
    buckets=(*_FAST_S, 30),
)
RETRIES = Metric(
    "kyc_retries_total",
    Kind.COUNTER,
    "Fetches scheduled again after a failure, or because no result was ready.",
    {"source": labels.Source},
)
LEDGER_NOTES = Metric(
    "kyc_ledger_notes_total",
    Kind.COUNTER,
    "Inputs that changed no decision, such as duplicates and late verdicts.",
    {"source": labels.Source, "kind": ledger.CounterKind},
)
REGISTERED_SESSIONS = Metric(
    "kyc_registered_sessions_total",
    Kind.COUNTER,
    "Registered sessions, by the steps they have reached.",
    {"source": labels.Source, "step": ledger.Milestone},
    preinitialise=True,
)
DECISIONS = Metric(
    "kyc_decisions_total",
    Kind.COUNTER,
    "Committed decisions.",
    {"source": labels.Source, "outcome": model.Outcome, "final": labels.Final},
)
DECISION_LATENCY_SECONDS = Metric(
    "kyc_decision_latency_seconds",
    Kind.HISTOGRAM,
    "Time from the receipt of a callback to the decision that it caused.",
    {"source": labels.Source},
    buckets=_LATENCY_S,
)
DEAD_LETTERS = Metric(
    "kyc_dead_letters_total",
    Kind.COUNTER,
    "Committed dead letters, by reason.",
    {"source": labels.Source, "reason": model.DeadLetterReason},
    preinitialise=True,
)
OPEN_SESSIONS = Metric(
    "kyc_open_sessions",
    Kind.GAUGE,
    "Open sessions in the partitions of this process.",
)
DEFERRED_EVENTS = Metric(
    "kyc_deferred_events",
    Kind.GAUGE,
    "Events that wait for the configuration of their source, or for a release that"
    " reads their version, in own partitions.",
)
UNANSWERED_SESSIONS = Metric(
    "kyc_unanswered_sessions",
    Kind.GAUGE,
    "Open sessions without any response of the provider and without registration.",
    {"source": labels.Source},
    preinitialise=True,
)
PAUSED_PARTITIONS = Metric(
    "kyc_paused_partitions",
    Kind.GAUGE,
    "Partitions that consume no events, because they have reached a limit.",
)
OLDEST_PENDING_SECONDS = Metric(
    "kyc_oldest_pending_seconds",
    Kind.GAUGE,
    "Age of the oldest open session; 0 if there is none.",
)
COMMIT_SECONDS = Metric(
    "kyc_commit_seconds",
    Kind.HISTOGRAM,
    "Duration of committed transactions.",
    buckets=_FAST_S,
)
RECORDS_COMMITTED = Metric(
    "kyc_records_committed_total",
    Kind.COUNTER,
    "Records written in committed transactions.",
)
KAFKA_REACHABLE = Metric(
    "kyc_kafka_reachable", Kind.GAUGE, "1 while Kafka responds to this process, else 0."
)
OWNED_PARTITIONS = Metric(
    "kyc_owned_partitions", Kind.GAUGE, "Partitions that run in this process."
)
PARTITION_FAILURES = Metric(
    "kyc_partition_failures_total",
    Kind.COUNTER,
    "Failures of partitions, each followed by a restart.",
    {"reason": labels.PartitionFailure},
    preinitialise=True,
)
RESTORE_SECONDS = Metric(
    "kyc_restore_seconds",
    Kind.HISTOGRAM,
    "Time from fencing a partition until it runs.",
    buckets=_SLOW_S,
)
RECORDS_RESTORED = Metric(
    "kyc_records_restored_total", Kind.COUNTER, "Ledger records read during restores."
)
ALARMS = Metric(
    "kyc_alarms_total",
    Kind.COUNTER,
    "Raised alarms; docs/operations/runbook.md has an entry for each kind.",
    {"kind": model.AlarmKind},
    preinitialise=True,
)
LOG_VALUES_DROPPED = Metric(
    "kyc_log_values_dropped_total",
    Kind.COUNTER,
    "Values omitted from the log because they are not on its allow list.",
    preinitialise=True,
)

#: All of them, but for ``kyc_build_info`` and the process's own metrics.
CATALOGUE = tuple(each for each in list(globals().values()) if isinstance(each, Metric))

Collector = (
    prometheus_client.Counter | prometheus_client.Gauge | prometheus_client.Histogram
)


def of(metric: Metric, registry: prometheus_client.CollectorRegistry) -> Collector:
    """Return the collector of *metric*, in *registry*."""
    names = tuple(metric.labels)
    match metric.kind:
        case Kind.COUNTER:
            return prometheus_client.Counter(
                metric.name, metric.text, names, registry=registry
            )
        case Kind.GAUGE:
            return prometheus_client.Gauge(
                metric.name, metric.text, names, registry=registry
            )
        case Kind.HISTOGRAM:
            return prometheus_client.Histogram(
                metric.name,
                metric.text,
                names,
                registry=registry,
                buckets=metric.buckets,
            )
