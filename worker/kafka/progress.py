"""Say how long to wait before the next attempt, and whether attempts get anywhere."""

import random

from worker import clock as clocks
from worker import settings

LONGEST = 16  #: as many failures as back off for the longest time
_REBUILDS = 5  # as many consumers without a record are one that makes no progress


def backoff_ms(worker: settings.Worker, failures: int) -> float:
    """Return how long to wait after *failures* in a row, in milliseconds, jittered."""
    longest = worker.restart_backoff_max
    wait: float = min(worker.restart_backoff * 2 ** min(failures, LONGEST), longest)
    return wait * random.uniform(0.5, 1.0)  # noqa: S311 -- no secret


class Progress:
    """
    When the consumer was last seen to get somewhere.

    A poll that returns is progress. Once consumers are built again and again and none
    of them takes a record, only a record is, or a consumer that lasts.
    """

    def __init__(self, worker: settings.Worker, clock: clocks.Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._failures = 0
        self._begun = self.at = clock.now_ms()

    def restart(self) -> None:
        """Take note that a consumer is built."""
        self._begun = self._clock.now_ms()

    def polled(self, *, records: bool) -> None:
        """Take note that a poll returned, with or without *records*."""
        now = self._clock.now_ms()
        if records or now - self._begun > self._worker.restart_backoff_max:
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
        return backoff_ms(self._worker, self._failures)
