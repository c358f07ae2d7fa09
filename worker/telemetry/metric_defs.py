"""Define every metric: its name, type, help text, labels and buckets."""

from worker.telemetry import label_sets
from worker.telemetry.metric_types import AnyMetric, Counter, Gauge, Histogram, Metric

_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW_S = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
#: from a few milliseconds to the days that a manual review may take
_LATENCY_S = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    *(300, 900, 3600, 21_600, 86_400, 259_200),
)
#: from a check without a human to an end user who returns after weeks
_SESSION_S = (
    *(10, 30, 60, 120, 300, 600, 1800, 3600),
    *(21_600, 86_400, 259_200, 604_800, 2_592_000),
)


class MetricDefs:
    """Every metric but ``kyc_build_info`` and those of the process and of Python."""

    # The ingress
    callbacks = Counter(
        "kyc_callbacks_total",
        "Requests to the webhook endpoints, by result.",
        label_sets.Callback,
    )
    verification_failures = Counter(
        "kyc_verification_failures_total",
        "Callbacks that failed authentication, by cause.",
        label_sets.VerificationFailure,
    )
    secrets_matched = Counter(
        "kyc_secrets_matched_total",
        "Authentic callbacks, by the position of the matching secret in its list.",
        label_sets.SecretMatch,
    )
    returns = Counter(
        "kyc_returns_total",
        "Requests to the return endpoints, by result.",
        label_sets.Return,
    )
    produce_duration = Histogram(
        "kyc_produce_duration_seconds",
        "Time until Kafka acknowledges an event, or the request is abandoned.",
        label_sets.NoLabels,
        buckets=_FAST_S,
    )

    # HTTP
    http_request_duration = Histogram(
        "kyc_http_request_duration_seconds",
        "Time from the head of a request to its response, by class of the response.",
        label_sets.HttpRequest,
        buckets=_FAST_S,
    )
    http_requests_in_flight = Gauge(
        "kyc_http_requests_in_flight",
        "Requests without a response yet; those of the return endpoints count as"
        " ingress.",
        label_sets.Service,
    )
    http_connections = Gauge(
        "kyc_http_connections",
        "Open connections at the public port.",
        label_sets.NoLabels,
    )
    http_buffered = Gauge(
        "kyc_http_buffered_bytes",
        "Bytes of request bodies in memory, until their response is sent.",
        label_sets.NoLabels,
    )
    http_connections_closed = Counter(
        "kyc_http_connections_closed_total",
        "Connections closed at the limit, or because the client read no response.",
        label_sets.ClosedConnection,
        preinitialise=True,
    )

    # The api
    api_requests = Counter(
        "kyc_api_requests_total",
        "Requests to start or register sessions, by result.",
        label_sets.ApiRequest,
    )
    begin_duration = Histogram(
        "kyc_begin_duration_seconds",
        "Duration of the requests to providers that start a session, failed ones too.",
        label_sets.Source,
        buckets=(*_FAST_S, 30),
    )
    begins_unresolved = Gauge(
        "kyc_begins_unresolved",
        "Session starts with unknown outcome that no running request owns.",
        label_sets.Source,
        preinitialise=True,
    )
    begins_recovered = Counter(
        "kyc_begins_recovered_total",
        "Session starts with unknown outcome whose session was found.",
        label_sets.Source,
        preinitialise=True,
    )
    begins_expired = Counter(
        "kyc_begins_expired_total",
        "Session starts deleted because their session was never found.",
        label_sets.Source,
        preinitialise=True,
    )

    # Fetches
    fetches = Counter(
        "kyc_fetches_total", "Fetches of results, by result.", label_sets.Fetch
    )
    fetch_duration = Histogram(
        "kyc_fetch_duration_seconds",
        "Duration of fetches, failed ones too.",
        label_sets.Source,
        buckets=(*_FAST_S, 30),
    )
    fetches_in_flight = Gauge(
        "kyc_fetches_in_flight",
        "Fetches that use a place of their source's concurrency.",
        label_sets.Source,
        preinitialise=True,
    )
    fetch_queue = Gauge(
        "kyc_fetch_queue_sessions",
        "Sessions whose fetch is due and waits for a limit of its source.",
        label_sets.Source,
        preinitialise=True,
    )
    circuit_open = Gauge(
        "kyc_circuit_open",
        "1 while the circuit breaker of the source is open or half open, else 0.",
        label_sets.Source,
        preinitialise=True,
    )
    fetch_paused_until = Gauge(
        "kyc_fetch_paused_until_timestamp_seconds",
        "When the latest Retry-After of the provider ends; 0 before the first one.",
        label_sets.Source,
        preinitialise=True,
    )

    # Sessions
    session_events = Counter(
        "kyc_session_events_total",
        "Inputs that changed no decision, such as duplicates, retries and late"
        " verdicts.",
        label_sets.SessionEvent,
    )
    session_milestones = Counter(
        "kyc_session_milestones_total",
        "Registered sessions, by the milestones they have reached.",
        label_sets.SessionMilestone,
        preinitialise=True,
    )
    session_duration = Histogram(
        "kyc_session_duration_seconds",
        "Time from the registration of a session to its first final decision.",
        label_sets.Source,
        buckets=_SESSION_S,
    )
    decisions = Counter(
        "kyc_decisions_total", "Committed decisions.", label_sets.Decision
    )
    decision_latency = Histogram(
        "kyc_decision_latency_seconds",
        "Time from the receipt of a callback to the decision that it caused.",
        label_sets.Source,
        buckets=_LATENCY_S,
    )
    finals_superseded = Counter(
        "kyc_finals_superseded_total",
        "Final decisions that a later decision replaced.",
        label_sets.Source,
        preinitialise=True,
    )
    dead_letters = Counter(
        "kyc_dead_letters_total",
        "Committed dead letters, by reason.",
        label_sets.DeadLetter,
        preinitialise=True,
    )
    open_sessions = Gauge(
        "kyc_open_sessions",
        "Open sessions in the partitions of this process.",
        label_sets.Source,
        preinitialise=True,
    )
    oldest_pending_session = Gauge(
        "kyc_oldest_pending_session_timestamp_seconds",
        "When the oldest open session without a final decision was first seen, in the"
        " partitions of this process; 0 if there is none.",
        label_sets.Source,
        preinitialise=True,
    )
    unanswered_sessions = Gauge(
        "kyc_unanswered_sessions",
        "Open sessions without any response of the provider and without registration.",
        label_sets.Source,
        preinitialise=True,
    )
    deferred_events = Gauge(
        "kyc_deferred_events",
        "Events that wait for the configuration of their source, or for a release that"
        " reads their version, in own partitions.",
        label_sets.NoLabels,
    )

    # Kafka
    kafka_reachable = Gauge(
        "kyc_kafka_reachable",
        "1 while Kafka responds to this process, else 0.",
        label_sets.NoLabels,
    )
    consumer_lag = Gauge(
        "kyc_consumer_lag_records",
        "Consumer lag: events not yet consumed in the partitions of this process.",
        label_sets.NoLabels,
    )
    owned_partitions = Gauge(
        "kyc_owned_partitions",
        "Partitions that run in this process.",
        label_sets.NoLabels,
    )
    paused_partitions = Gauge(
        "kyc_paused_partitions",
        "Partitions that consume no events, because they have reached a limit.",
        label_sets.NoLabels,
    )
    partition_failures = Counter(
        "kyc_partition_failures_total",
        "Failures of partitions, each followed by a restart.",
        label_sets.PartitionFailure,
        preinitialise=True,
    )
    commit_duration = Histogram(
        "kyc_commit_duration_seconds",
        "Duration of committed transactions.",
        label_sets.NoLabels,
        buckets=_FAST_S,
    )
    records_committed = Counter(
        "kyc_records_committed_total",
        "Records written in committed transactions.",
        label_sets.NoLabels,
    )
    restore_duration = Histogram(
        "kyc_restore_duration_seconds",
        "Time from fencing a partition until it runs.",
        label_sets.NoLabels,
        buckets=_SLOW_S,
    )
    records_restored = Counter(
        "kyc_records_restored_total",
        "Ledger records read during restores.",
        label_sets.NoLabels,
    )

    # Every process
    alarms = Counter(
        "kyc_alarms_total",
        "Raised alarms, with source unknown where an alarm concerns none; the runbook"
        " has an entry for each kind.",
        label_sets.Alarm,
        preinitialise=True,
    )
    event_loop_lag = Histogram(
        "kyc_event_loop_lag_seconds",
        "Delay of a timer of this process beyond its time, sampled four times a"
        " second.",
        label_sets.NoLabels,
        buckets=_FAST_S,
    )
    certificate_expiry = Gauge(
        "kyc_certificate_expiry_timestamp_seconds",
        "When the configured certificate expires, as read at the start of this"
        " process.",
        label_sets.Certificate,
    )
    log_values_dropped = Counter(
        "kyc_log_values_dropped_total",
        "Values omitted from the log because they are not on its allow list.",
        label_sets.NoLabels,
        preinitialise=True,
    )


#: The definitions by the attribute that each has in ``metrics.Metrics``.
DEFINITIONS: dict[str, AnyMetric] = {
    attribute: metric
    for attribute, metric in vars(MetricDefs).items()
    if isinstance(metric, Metric)
}
CATALOGUE = tuple(DEFINITIONS.values())
