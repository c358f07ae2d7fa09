"""Define, count and observe: typed metrics over prometheus_client, labels closed."""

import enum
import itertools
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, TypeVar

import prometheus_client

from worker.telemetry import labels as values

_P = ParamSpec("_P")
_Series = TypeVar(
    "_Series",
    prometheus_client.Counter,
    prometheus_client.Gauge,
    prometheus_client.Histogram,
)
#: What a label may be: a member of an enumeration, or (``str``) the name of a source.
Domain = type[enum.StrEnum] | type[str]
_UNITS = ("seconds", "bytes")


class Metric(Generic[_P, _Series]):
    """
    One metric: a definition, and in a ``Metrics`` its recorder too.

    *name* is as exported, of a histogram without suffix. *labels* is a NamedTuple of
    ``label_sets``: its fields are the labels, in order, and their types the values.
    A source that is not configured is counted as ``unknown``, so that no outside
    caller chooses a label; a value outside of its enumeration raises ValueError.
    """

    kind: ClassVar[str]
    _type: type[_Series]

    def __init__(
        self,
        name: str,
        text: str,
        labels: Callable[_P, tuple[object, ...]],
        *,
        preinitialise: bool = False,
    ) -> None:
        self.name = name
        self.text = text
        self.labels: Mapping[str, Domain] = typing.get_type_hints(labels)
        self._ordered = labels
        #: exported as zero from the start, so that the first one is an increase
        self.preinitialise = preinitialise
        #: the series used before: finding one by its labels costs more than counting
        self._found: dict[tuple[object, ...], _Series] = {}

    def bind(
        self, registry: prometheus_client.CollectorRegistry, sources: Collection[str]
    ) -> None:
        """Record into *registry* from now on; a definition is copied before."""
        self._found = {}
        self._sources = frozenset(sources)
        self._collector = self._collector_in(registry)
        if self.preinitialise and self.labels:
            domains = map(self._values, self.labels.values())
            for series in itertools.product(*domains):
                self._collector.labels(*series)

    _sources: frozenset[str]
    _collector: _Series

    def _collector_in(self, registry: prometheus_client.CollectorRegistry) -> _Series:
        return self._type(
            self._family,
            self.text,
            tuple(self.labels),
            unit=self.unit,
            registry=registry,
        )

    @property
    def _family(self) -> str:
        return self.name.removesuffix("_total")

    @property
    def unit(self) -> str:
        """Return the unit that the name ends with, or nothing."""
        last = self._family.rpartition("_")[2]
        return last if last in _UNITS else ""

    def _values(self, domain: Domain) -> list[str]:
        if issubclass(domain, enum.StrEnum):
            return [str(value) for value in domain]
        return [*sorted(self._sources), values.UNKNOWN_SOURCE]

    def _series(self, *args: _P.args, **kwargs: _P.kwargs) -> _Series:
        """
        Return the series of exactly these labels.

        Positional labels are the key as they are, so that a caller finds the series
        without this: the ingress counts each request several times.
        """
        place = (args, *kwargs.items()) if kwargs else args
        series = self._found.get(place)
        if series is None:
            given: tuple[object, ...] = self._ordered(*args, **kwargs)
            texts = [*map(self._text, self.labels.values(), given)]
            series = self._collector.labels(*texts) if texts else self._collector
            if all(map(self._is_closed, given)):
                self._found[place] = series
        return series

    def _is_closed(self, value: object) -> bool:
        """Return whether *value* is no name that an outside caller has chosen."""
        return isinstance(value, enum.StrEnum) or value in self._sources

    def _text(self, domain: Domain, value: object) -> str:
        if issubclass(domain, enum.StrEnum):
            return str(domain(str(value)))
        return str(value) if value in self._sources else values.UNKNOWN_SOURCE


class Counter(Metric[_P, prometheus_client.Counter]):
    """A number that only grows while the process lives."""

    kind = "counter"
    _type = prometheus_client.Counter

    def inc(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Count one."""
        series = self._found.get(args) or self._series(*args, **kwargs)
        series.inc()

    def add(self, amount: float, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Count *amount*."""
        series = self._found.get(args) or self._series(*args, **kwargs)
        series.inc(amount)


class Gauge(Metric[_P, prometheus_client.Gauge]):
    """A number as it is now."""

    kind = "gauge"
    _type = prometheus_client.Gauge

    def set(self, value: float, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Replace the value."""
        series = self._found.get(args) or self._series(*args, **kwargs)
        series.set(value)


class Histogram(Metric[_P, prometheus_client.Histogram]):
    """How often values were observed, by size."""

    kind = "histogram"
    _type = prometheus_client.Histogram

    def __init__(
        self,
        name: str,
        text: str,
        labels: Callable[_P, tuple[object, ...]],
        *,
        buckets: tuple[float, ...],
    ) -> None:
        super().__init__(name, text, labels)
        self.buckets = buckets

    def _collector_in(
        self, registry: prometheus_client.CollectorRegistry
    ) -> prometheus_client.Histogram:
        return prometheus_client.Histogram(
            self.name,
            self.text,
            tuple(self.labels),
            unit=self.unit,
            registry=registry,
            buckets=self.buckets,
        )

    def observe(self, value: float, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Record one *value*."""
        series = self._found.get(args) or self._series(*args, **kwargs)
        series.observe(value)


#: Whatever its labels.
AnyMetric = Metric[..., Any]
