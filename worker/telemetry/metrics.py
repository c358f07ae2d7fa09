"""Count what happens, in words that are closed types."""

import platform
from collections.abc import Callable, Collection, Mapping

import prometheus_client
from prometheus_client import exposition

import worker
from worker import errors, http_server, ledger, model
from worker.telemetry import labels, metric_defs

_RETRIES = frozenset({ledger.CounterKind.RETRY, ledger.CounterKind.NOT_READY})


class Metrics:
    """
    One process's metrics, in a registry of their own.

    *sources* are the configured names: any other is counted as ``unknown``, so that
    nobody outside chooses a label. A label value of another type raises TypeError.
    """

    def __init__(
        self,
        sources: Collection[str],
        registry: prometheus_client.CollectorRegistry | None = None,
    ) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # -- it ships no type
        self._sources = frozenset(sources)
        self._registry = registry or prometheus_client.CollectorRegistry()
        self._refreshers: list[Callable[[], None]] = []
        #: the series used before: finding one by its labels costs more than counting
        self._children: dict[tuple[object, ...], metric_defs.Collector] = {}
        self._collectors = {
            metric.name: metric_defs.of(metric, self._registry)
            for metric in metric_defs.CATALOGUE
        }
        prometheus_client.ProcessCollector(registry=self._registry)
        prometheus_client.Info(
            "kyc_build", "What this process runs.", registry=self._registry
        ).info({"version": worker.__version__, "python": platform.python_version()})
        for metric in metric_defs.CATALOGUE:
            if metric.preinitialise:
                self._start_from_zero(metric)

    def on_scrape(self, refresh: Callable[[], None]) -> None:
        """Call *refresh* before each ``render``, to set gauges then."""
        self._refreshers.append(refresh)

    def render(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        for refresh in self._refreshers:
            refresh()
        return exposition.generate_latest(self._registry)

    # The ingress

    def callback(self, source: str, result: labels.CallbackResult) -> None:
        """Count a request by how it was answered."""
        self._count(metric_defs.CALLBACKS, source, result)

    def verification_failed(self, source: str, cause: errors.AuthCause) -> None:
        """Count a callback that is not authentic."""
        self._count(metric_defs.VERIFICATION_FAILURES, source, cause)

    def secret_matched(
        self, source: str, authenticator: labels.Authenticator, position: int
    ) -> None:
        """Count which entry of a source's secrets matched, from zero."""
        self._count(
            metric_defs.SECRETS_MATCHED,
            source,
            authenticator,
            labels.SecretPosition.of(position),
        )

    def returned(
        self, source: str, way: labels.ReturnEndpoint, result: labels.ReturnResult
    ) -> None:
        """Count a person's return by how it was answered."""
        self._count(metric_defs.RETURNS, source, way, result)

    def produced(self, seconds: float) -> None:
        """Take note of how long Kafka took to acknowledge an event, or not to."""
        self._observe(metric_defs.PRODUCE_SECONDS, seconds)

    # HTTP

    def http(self, connections: int, buffered_bytes: int) -> None:
        """Set how many connections are open, and what their bodies take."""
        self._set(metric_defs.HTTP_CONNECTIONS, connections)
        self._set(metric_defs.HTTP_BUFFERED_BYTES, buffered_bytes)

    def connection_closed(self, why: http_server.CloseReason) -> None:
        """Count a connection that was closed, by why."""
        self._count(metric_defs.HTTP_CONNECTIONS_CLOSED, None, why)

    # The api

    def api_request(self, source: str, result: labels.ApiResult) -> None:
        """Count a request of the api by how it was answered."""
        self._count(metric_defs.API_REQUESTS, source, result)

    def begin_called(self, source: str, seconds: float) -> None:
        """Take note of how long a provider took to begin a session, or not to."""
        self._observe(metric_defs.BEGIN_SECONDS, seconds, source)

    def begins_unresolved(self, by_source: Mapping[str, int]) -> None:
        """Set how many begins of each source have no end and no process."""
        for source in self._sources:
            self._set(metric_defs.BEGINS_UNRESOLVED, by_source.get(source, 0), source)

    def begin_recovered(self, source: str) -> None:
        """Count a begin whose session was found out."""
        self._count(metric_defs.BEGINS_RECOVERED, source)

    def begin_forgotten(self, source: str) -> None:
        """Count a begin whose session was never found out."""
        self._count(metric_defs.BEGINS_FORGOTTEN, source)

    # The pipeline

    def fetched(self, source: str, result: labels.FetchResult, seconds: float) -> None:
        """Count a fetch by how it ended, and take note of how long it took."""
        self._count(metric_defs.FETCHES, source, result)
        self._observe(metric_defs.FETCH_SECONDS, seconds, source)

    def session_event(self, source: str, kind: ledger.CounterKind) -> None:
        """Count what changed no decision; retries also on their own."""
        self._count(metric_defs.LEDGER_NOTES, source, kind)
        if kind in _RETRIES:
            self._count(metric_defs.RETRIES, source)

    def milestone(self, source: str, step: ledger.Milestone) -> None:
        """Count how far a registered session has come."""
        self._count(metric_defs.REGISTERED_SESSIONS, source, step)

    def decided(self, decision: model.Decision) -> None:
        """Count a committed decision, and how long after its callback it came."""
        verdict = decision.verdict
        self._count(
            metric_defs.DECISIONS,
            decision.source,
            verdict.outcome,
            labels.Final.of(final=verdict.final),
        )
        received_at = decision.cause.received_at
        if decision.cause.type is model.CauseType.CALLBACK and received_at is not None:
            seconds = max(decision.decided_at - received_at, 0) / 1000
            self._observe(
                metric_defs.DECISION_LATENCY_SECONDS, seconds, decision.source
            )

    def dead_letter(self, source: str, reason: model.DeadLetterReason) -> None:
        """Count a committed dead letter."""
        self._count(metric_defs.DEAD_LETTERS, source, reason)

    def open_sessions(self, sessions: int) -> None:
        """Set how many sessions still have something to be done."""
        self._set(metric_defs.OPEN_SESSIONS, sessions)

    def deferred_events(self, events: int) -> None:
        """Set how many events wait for their source to be configured."""
        self._set(metric_defs.DEFERRED_EVENTS, events)

    def crowded(self, unanswered: Mapping[str, int], paused: int) -> None:
        """Set each source's *unanswered* sessions, and how many partitions are full."""
        self._set(metric_defs.PAUSED_PARTITIONS, paused)
        for source, sessions in unanswered.items():
            self._set(metric_defs.UNANSWERED_SESSIONS, sessions, source)

    def oldest_pending(self, seconds: float) -> None:
        """Set the age of the oldest open session; 0 where there is none."""
        self._set(metric_defs.OLDEST_PENDING_SECONDS, seconds)

    def committed(self, records: int, seconds: float) -> None:
        """Take note of a transaction of *records* records."""
        self._count(metric_defs.RECORDS_COMMITTED, amount=records)
        self._observe(metric_defs.COMMIT_SECONDS, seconds)

    # Kafka

    def kafka_reachable(self, *, reachable: bool) -> None:
        """Set whether Kafka answers."""
        self._set(metric_defs.KAFKA_REACHABLE, int(reachable))

    def events_behind(self, events: int) -> None:
        """Set how many events are not yet taken."""
        self._set(metric_defs.EVENTS_BEHIND, events)

    def owned_partitions(self, partitions: int) -> None:
        """Set how many partitions are worked on."""
        self._set(metric_defs.OWNED_PARTITIONS, partitions)

    def partition_failed(self, reason: labels.PartitionFailure) -> None:
        """Count a partition that is thrown away to be started again."""
        self._count(metric_defs.PARTITION_FAILURES, None, reason)

    def restored(self, records: int, seconds: float) -> None:
        """Take note of a partition brought back to work."""
        self._count(metric_defs.RECORDS_RESTORED, amount=records)
        self._observe(metric_defs.RESTORE_SECONDS, seconds)

    # Everybody

    def alarm(self, kind: model.AlarmKind) -> None:
        """Count an alarm; ``telemetry.alarm`` writes its line too."""
        self._count(metric_defs.ALARMS, None, kind)

    def log_values_dropped(self, values: int) -> None:
        """Count what the log did not write."""
        self._count(metric_defs.LOG_VALUES_DROPPED, amount=values)

    def _count(
        self,
        metric: metric_defs.Metric,
        source: str | None = None,
        *values: object,
        amount: float = 1,
    ) -> None:
        child = self._child(metric, source, values)
        if not isinstance(child, prometheus_client.Counter):
            raise TypeError(f"{metric.name} is no counter")
        child.inc(amount)

    def _observe(
        self, metric: metric_defs.Metric, seconds: float, source: str | None = None
    ) -> None:
        child = self._child(metric, source, ())
        if not isinstance(child, prometheus_client.Histogram):
            raise TypeError(f"{metric.name} is no histogram")
        child.observe(seconds)

    def _set(
        self, metric: metric_defs.Metric, value: float, source: str | None = None
    ) -> None:
        child = self._child(metric, source, ())
        if not isinstance(child, prometheus_client.Gauge):
            raise TypeError(f"{metric.name} is no gauge")
        child.set(value)

    def _child(
        self, metric: metric_defs.Metric, source: str | None, values: tuple[object, ...]
    ) -> metric_defs.Collector:
        """Return the series of *metric* for exactly these labels."""
        # Labels are words of enumerations, each there once and for good. By identity: a
        # text that equals one is refused all the same.
        place = (metric.name, source, *map(id, values))
        child = self._children.get(place)
        if child is None:
            child = self._found(metric, source, values)
            if source is None or source in self._sources:  # no outsider's names
                self._children[place] = child
        return child

    def _found(
        self, metric: metric_defs.Metric, source: str | None, values: tuple[object, ...]
    ) -> metric_defs.Collector:
        texts = []
        rest = iter(values)
        for name, domain in metric.labels.items():
            value = source if domain is labels.Source else next(rest, None)
            texts.append(self._text(name, domain, value))
        if next(rest, None) is not None:
            raise TypeError(f"{metric.name} has no such label")
        collector = self._collectors[metric.name]
        return collector.labels(*texts) if texts else collector

    def _text(self, name: str, domain: labels.Domain, value: object) -> str:
        if domain is labels.Source:
            if not isinstance(value, str):
                raise TypeError("source must be a name")
            return value if value in self._sources else labels.UNKNOWN_SOURCE
        if not isinstance(value, domain):
            raise TypeError(f"{name} must be a {domain.__name__}")
        return str(value)

    def _start_from_zero(self, metric: metric_defs.Metric) -> None:
        """Export every series of *metric* at once."""
        series: list[tuple[str, ...]] = [()]
        for domain in metric.labels.values():
            if issubclass(domain, labels.Source):
                words = [*sorted(self._sources), labels.UNKNOWN_SOURCE]
            else:
                words = [str(word) for word in domain]
            series = [(*one, word) for one in series for word in words]
        for texts in series:
            if texts:
                self._collectors[metric.name].labels(*texts)
