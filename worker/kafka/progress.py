"""Decide whether a consumer makes progress, and how long to wait for the next one."""

import random

from worker import clock as clocks
from worker import settings

_REBUILDS = 5  # as many consumers without a record make no progress


class Progress:
    """
    The time of the consumer's last progress.

    A poll that returns is progress. After several consumers in a row that received no
    record, only a record is, or a consumer that outlives ``restart_backoff_max``.
    """

    def __init__(self, worker: settings.Worker, clock: clocks.Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._failures = 0
        self._started_at = self.at = clock.now_ms()

    def restart(self) -> None:
        """Record that a consumer is built."""
        self._started_at = self._clock.now_ms()

    def polled(self, *, records: bool) -> None:
        """Record that a poll returned, with or without *records*."""
        now = self._clock.now_ms()
        if records or now - self._started_at > self._worker.restart_backoff_max:
            self._failures = 0
        if self._failures < _REBUILDS:
            self.at = now

    def failed(self, *, excused: bool) -> float:
        """
        Return how many milliseconds to wait before the next consumer is built.

        Where Kafka is the cause it is *excused*: a new process would wait, too.
        """
        self._failures += 1
        if excused:
            self.at = self._clock.now_ms()
        chance = random.random()  # noqa: S311 -- no secret
        return self._worker.backoff.delay_ms(self._failures, chance)
