"""List every metric, with its labels and their domains."""

import dataclasses
import enum
from collections.abc import Mapping

from worker import errors, ledger, model, serving
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
    from_zero: bool = False


CALLBACKS = Metric(
    "kyc_callbacks_total",
    Kind.COUNTER,
    "Requests at the webhook endpoint, by how they were answered.",
    {"source": labels.Source, "result": labels.CallbackResult},
)
VERIFICATION_FAILURES = Metric(
    "kyc_verification_failures_total",
    Kind.COUNTER,
    "Callbacks that were not authentic, by cause.",
    {"source": labels.Source, "cause": errors.AuthCause},
)
SECRETS_MATCHED = Metric(
    "kyc_secrets_matched_total",
    Kind.COUNTER,
    "Authentic callbacks, by the position of the secret that matched.",
    {
        "source": labels.Source,
        "authenticator": labels.Authenticator,
        "position": labels.SecretPosition,
    },
)
RETURNS = Metric(
    "kyc_returns_total",
    Kind.COUNTER,
    "Requests at the return endpoints, by how they were answered.",
    {
        "source": labels.Source,
        "way": labels.ReturnWay,
        "result": labels.ReturnResult,
    },
)
PRODUCE_SECONDS = Metric(
    "kyc_produce_seconds",
    Kind.HISTOGRAM,
    "From handing an event to Kafka to its acknowledgement or our giving up.",
    buckets=_FAST_S,
)
HTTP_CONNECTIONS = Metric(
    "kyc_http_connections", Kind.GAUGE, "Open connections at the public port."
)
HTTP_BUFFERED_BYTES = Metric(
    "kyc_http_buffered_bytes",
    Kind.GAUGE,
    "Bytes of request bodies that are read, or held until their answer.",
)
HTTP_CONNECTIONS_CLOSED = Metric(
    "kyc_http_connections_closed_total",
    Kind.COUNTER,
    "Connections closed to make room, or because an answer was not read.",
    {"reason": serving.Closed},
    from_zero=True,
)
API_REQUESTS = Metric(
    "kyc_api_requests_total",
    Kind.COUNTER,
    "Requests to begin or register a session, by how they were answered.",
    {"source": labels.Source, "result": labels.ApiResult},
)
BEGIN_SECONDS = Metric(
    "kyc_begin_seconds",
    Kind.HISTOGRAM,
    "Duration of the providers' calls that begin a session, whatever came of them.",
    {"source": labels.Source},
    buckets=(*_FAST_S, 30),
)
BEGINS_UNRESOLVED = Metric(
    "kyc_begins_unresolved",
    Kind.GAUGE,
    "Begins that a process has left, and whose session is not known.",
    {"source": labels.Source},
    from_zero=True,
)
BEGINS_RECOVERED = Metric(
    "kyc_begins_recovered_total",
    Kind.COUNTER,
    "Begins that a process has left, and whose session was found out.",
    {"source": labels.Source},
    from_zero=True,
)
BEGINS_FORGOTTEN = Metric(
    "kyc_begins_forgotten_total",
    Kind.COUNTER,
    "Begins whose session was never found out, forgotten in the end.",
    {"source": labels.Source},
    from_zero=True,
)
EVENTS_BEHIND = Metric(
    "kyc_events_behind",
    Kind.GAUGE,
    "Events not yet taken in the partitions that this process owns.",
)
FETCHES = Metric(
    "kyc_fetches_total",
    Kind.COUNTER,
    "Fetches of results, by how they ended.",
    {"source": labels.Source, "result": labels.FetchResult},
)
FETCH_SECONDS = Metric(
    "kyc_fetch_seconds",
    Kind.HISTOGRAM,
    "Duration of fetches, whatever came of them.",
    {"source": labels.Source},
    buckets=(*_FAST_S, 30),
)
RETRIES = Metric(
    "kyc_retries_total",
    Kind.COUNTER,
    "Fetches put off to be made again, because of a failure or no result yet.",
    {"source": labels.Source},
)
LEDGER_NOTES = Metric(
    "kyc_ledger_notes_total",
    Kind.COUNTER,
    "What changed no decision: repeats, late verdicts and the like.",
    {"source": labels.Source, "kind": ledger.NoteKind},
)
REGISTERED_SESSIONS = Metric(
    "kyc_registered_sessions_total",
    Kind.COUNTER,
    "Sessions that the company registered, by how far they have come.",
    {"source": labels.Source, "step": ledger.Step},
    from_zero=True,
)
DECISIONS = Metric(
    "kyc_decisions_total",
    Kind.COUNTER,
    "Decisions committed.",
    {"source": labels.Source, "outcome": model.Outcome, "final": labels.Final},
)
DECISION_LATENCY_SECONDS = Metric(
    "kyc_decision_latency_seconds",
    Kind.HISTOGRAM,
    "From the receipt of a callback to the decision that it caused.",
    {"source": labels.Source},
    buckets=_LATENCY_S,
)
DEAD_LETTERS = Metric(
    "kyc_dead_letters_total",
    Kind.COUNTER,
    "What could not be decided.",
    {"source": labels.Source, "reason": model.DeadLetterReason},
    from_zero=True,
)
OPEN_SESSIONS = Metric(
    "kyc_open_sessions",
    Kind.GAUGE,
    "Sessions with something still to be done, in the partitions owned.",
)
DEFERRED_EVENTS = Metric(
    "kyc_deferred_events",
    Kind.GAUGE,
    "Events that wait for their source to be configured, in the partitions owned.",
)
UNANSWERED_SESSIONS = Metric(
    "kyc_unanswered_sessions",
    Kind.GAUGE,
    "Open sessions that the provider never answered for and that were not registered.",
    {"source": labels.Source},
    from_zero=True,
)
PAUSED_PARTITIONS = Metric(
    "kyc_paused_partitions",
    Kind.GAUGE,
    "Partitions that take no more events for now: too much is under way in them.",
)
OLDEST_PENDING_SECONDS = Metric(
    "kyc_oldest_pending_seconds",
    Kind.GAUGE,
    "Age of the open session that was first seen longest ago; 0 where there is none.",
)
COMMIT_SECONDS = Metric(
    "kyc_commit_seconds",
    Kind.HISTOGRAM,
    "Duration of the transactions that succeeded.",
    buckets=_FAST_S,
)
RECORDS_COMMITTED = Metric(
    "kyc_records_committed_total",
    Kind.COUNTER,
    "Records written in transactions that succeeded.",
)
KAFKA_REACHABLE = Metric(
    "kyc_kafka_reachable", Kind.GAUGE, "1 while Kafka answers this process, else 0."
)
OWNED_PARTITIONS = Metric(
    "kyc_owned_partitions", Kind.GAUGE, "Partitions that this process works on."
)
PARTITION_FAILURES = Metric(
    "kyc_partition_failures_total",
    Kind.COUNTER,
    "Partitions thrown away to be started again.",
    {"reason": labels.PartitionFailure},
    from_zero=True,
)
RESTORE_SECONDS = Metric(
    "kyc_restore_seconds",
    Kind.HISTOGRAM,
    "From fencing a partition to its work.",
    buckets=_SLOW_S,
)
RECORDS_RESTORED = Metric(
    "kyc_records_restored_total", Kind.COUNTER, "Ledger records read in restores."
)
ALARMS = Metric(
    "kyc_alarms_total",
    Kind.COUNTER,
    "Alarms; docs/operations/runbook.md says what each asks of you.",
    {"kind": model.AlarmKind},
    from_zero=True,
)
LOG_VALUES_DROPPED = Metric(
    "kyc_log_values_dropped_total",
    Kind.COUNTER,
    "Values that were not written to the log because nobody allowed them.",
    from_zero=True,
)

#: All of them, but for ``kyc_build_info`` and the process's own metrics.
CATALOGUE = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
