"""Describe the tables inside a source: retries, polls, deadlines, circuit breaker."""

import pydantic

from worker import policy
from worker.settings import types


class Retry(types.Section):
    """Back-off after failed fetches."""

    initial_delay: types.PositiveMs = pydantic.Field(
        default=2_000, description="Wait after the first failed fetch."
    )
    factor: float = pydantic.Field(
        default=2.0, ge=1, le=10, description="Factor by which the wait grows."
    )
    max_delay: types.PositiveMs = pydantic.Field(
        default=900_000,
        description="Maximum wait. A `Retry-After` of the provider is always followed"
        " exactly.",
    )
    give_up_after: types.DurationMs = pydantic.Field(
        default=72 * 3_600_000,
        description="A session ends after this time if `retry.attempts` fetches failed"
        " and the provider did respond.",
    )
    attempts: int = pydantic.Field(
        default=5,
        ge=1,
        description="Minimum number of failed fetches before a session ends.",
    )

    @property
    def backoff(self) -> policy.Backoff:
        """Return the delays."""
        return policy.Backoff(
            initial_delay_ms=self.initial_delay,
            factor=self.factor,
            max_delay_ms=self.max_delay,
        )


class NotReady(types.Section):
    """Back-off while the provider still produces a result."""

    initial_delay: types.PositiveMs = pydantic.Field(
        default=2_000,
        description="First wait while the provider still produces the result.",
    )
    factor: float = pydantic.Field(
        default=2.0, ge=1, le=10, description="Factor by which the wait grows."
    )
    max_delay: types.PositiveMs = pydantic.Field(
        default=60_000, description="Maximum wait."
    )
    attempts: int = pydantic.Field(
        default=20,
        ge=1,
        description="Fetches without a result before the session is pending with"
        " `in_progress`; then `recheck_pending` applies.",
    )

    @property
    def backoff(self) -> policy.Backoff:
        """Return the delays."""
        return policy.Backoff(
            initial_delay_ms=self.initial_delay,
            factor=self.factor,
            max_delay_ms=self.max_delay,
        )


class NotFound(types.Section):
    """What ends a session that the provider does not know, and its cost."""

    attempts: int = pydantic.Field(
        default=5,
        ge=1,
        description="Minimum number of denials (the provider says that it does not know"
        " the session) before such a session ends.",
    )
    within: types.DurationMs = pydantic.Field(
        default=900_000,
        description="Minimum time between the first and the last of these denials. The"
        " session is then counted into an hourly dead letter. A registered session is"
        " kept until its deadline and then needs as many denials again.",
    )
    per_minute: int = pydantic.Field(
        default=30,
        ge=1,
        description="Denials per minute and worker. Beyond it, sessions that the"
        " provider has never confirmed wait.",
    )


class Polling(types.Section):
    """Fast polls after a wake-up, while the provider says that it is not finished."""

    initial_delay: types.PositiveMs = pydantic.Field(
        default=5_000,
        description="Wait before the first poll after a wake-up to which the provider"
        ' responds "not finished".',
    )
    interval: types.PositiveMs = pydantic.Field(
        default=3_000, description="Wait between the next polls."
    )
    max_attempts: int = pydantic.Field(
        default=0,
        ge=0,
        le=1_000,
        description="Maximum number of these polls; then `not_ready` and"
        " `recheck_pending` apply.",
    )


class Overdue(types.Section):
    """What happens to a registered session that has not ended by its deadline."""

    attempts: int = pydantic.Field(
        default=3,
        ge=1,
        description="A registered session past its deadline ends after this number of"
        ' polls with the response "not finished", at the intervals of'
        " `recheck_pending`.",
    )
    reject: bool = pydantic.Field(
        default=True,
        description="True: such a session ends as rejected, `not_completed`. False: it"
        " stays pending.",
    )
    retention: types.DurationMs = pydantic.Field(
        default=30 * 86_400_000,
        description="How long an overdue session stays open for its callback if nothing"
        " can be fetched from the provider.",
    )


class Circuit(types.Section):
    """When calls to a failing source stop, and for how long."""

    failure_threshold: int = pydantic.Field(
        default=5,
        ge=1,
        description="Consecutive failures after which the circuit breaker opens: no"
        " more calls to the source.",
    )
    open_for: types.PositiveMs = pydantic.Field(
        default=30_000,
        description="How long it stays open; then a single call tests the provider.",
    )
