"""Hold one process's metrics in a registry of their own."""

import copy
from collections.abc import Callable, Collection

import prometheus_client

import worker
from worker.telemetry import metric_defs


class Metrics(metric_defs.MetricDefs):
    """
    The metrics of ``metric_defs``, to be counted in, and those of process and Python.

    *sources* are the configured names.
    """

    def __init__(self, sources: Collection[str]) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # -- it ships no type
        self.sources = frozenset(sources)
        self._registry = prometheus_client.CollectorRegistry()
        self._refreshers: list[Callable[[], None]] = []
        for attribute, definition in metric_defs.DEFINITIONS.items():
            metric = copy.copy(definition)
            metric.bind(self._registry, self.sources)
            setattr(self, attribute, metric)
        prometheus_client.ProcessCollector(registry=self._registry)
        prometheus_client.PlatformCollector(registry=self._registry)
        prometheus_client.GCCollector(registry=self._registry)
        prometheus_client.Info(
            "kyc_build", "The release that this process runs.", registry=self._registry
        ).info({"version": worker.__version__})

    def on_scrape(self, refresh: Callable[[], None]) -> None:
        """Call *refresh* before each scrape, to set gauges then."""
        self._refreshers.append(refresh)

    def scrape(self) -> prometheus_client.CollectorRegistry:
        """Return the registry, with its gauges set anew."""
        for refresh in self._refreshers:
            refresh()
        return self._registry
