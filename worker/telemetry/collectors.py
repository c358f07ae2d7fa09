"""Make what Prometheus's library collects, from the catalogue."""

import prometheus_client

from worker.telemetry import catalogue

Collector = (
    prometheus_client.Counter | prometheus_client.Gauge | prometheus_client.Histogram
)


def of(
    metric: catalogue.Metric, registry: prometheus_client.CollectorRegistry
) -> Collector:
    """Return the collector of *metric*, in *registry*."""
    names = tuple(metric.labels)
    match metric.kind:
        case catalogue.Kind.COUNTER:
            return prometheus_client.Counter(
                metric.name, metric.text, names, registry=registry
            )
        case catalogue.Kind.GAUGE:
            return prometheus_client.Gauge(
                metric.name, metric.text, names, registry=registry
            )
        case catalogue.Kind.HISTOGRAM:
            return prometheus_client.Histogram(
                metric.name,
                metric.text,
                names,
                registry=registry,
                buckets=metric.buckets,
            )
