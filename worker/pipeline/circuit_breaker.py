"""Leave a failing source alone for a while: pure, time comes from the caller."""

import dataclasses


@dataclasses.dataclass(slots=True, kw_only=True)
class CircuitBreaker:
    """
    A circuit breaker: open after *failure_threshold* failures in a row, for
    *open_for_ms*.

    After that one probe at a time goes through, until one is answered.
    """

    failure_threshold: int
    open_for_ms: int
    failed: int = 0
    opened_at: int = 0
    probing: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether the last answers were failures only."""
        return self.failed >= self.failure_threshold

    def wait_ms(self, now: int) -> int | None:
        """Return how long nothing may start; 0 for now, None until the probe ends."""
        if not self.is_open:
            return 0
        # A clock that is put back does not keep the circuit open.
        if self.opened_at <= now < self.opened_at + self.open_for_ms:
            return self.opened_at + self.open_for_ms - now
        return None if self.probing else 0

    def start(self) -> None:
        """Take note that a fetch starts."""
        self.probing = self.probing or self.is_open

    def succeed(self) -> None:
        """Take note that the source answered."""
        self.failed = 0
        self.probing = False

    def fail(self, now: int) -> None:
        """Take note that the source failed."""
        self.failed += 1
        self.probing = False
        if self.is_open:
            self.opened_at = now

    def abandon(self) -> None:
        """Take note that a fetch ended without telling anything of the source."""
        self.probing = False
