"""Describe what every source may set, whatever its provider."""

from typing import Annotated, ClassVar

import pydantic

from worker import policy
from worker.settings import callbacks, secret, types, urls
from worker.settings.source_tables import (
    Circuit,
    Denied,
    NotReady,
    Overdue,
    Polling,
    Retry,
)

__all__ = [
    "Authenticator",
    "Circuit",
    "Denied",
    "NotReady",
    "Overdue",
    "Polling",
    "Retry",
    "Source",
]

Authenticator = callbacks.Authenticator


def _proxy(value: types.Secret) -> types.Secret:
    """Return *value* if it is the URL of a proxy, as far as this process reads it."""
    if not value.withheld:
        urls.proxy(value.reveal())
    return value


class Source(callbacks.Callbacks):
    """
    One configured account at one provider; each provider's file subclasses it.

    A subclass adds ``provider: Literal["name"]``, its credentials, its default
    ``base_url``, and sets ``default_authenticate``.
    """

    #: ``session_deadline`` counts from the session's own expiry, where that is known
    deadline_after_expiry: ClassVar[bool] = False
    #: the shortest secret of ``hmac_secrets`` that is accepted, in bytes
    hmac_secret_min_bytes: ClassVar[int] = 32
    #: True: ``hmac_body`` needs no ``hmac_secrets``, its keys come from the provider
    fetches_keys: ClassVar[bool] = False
    #: the settings that contain a host: one that we call, or that end users are sent to
    host_settings: ClassVar[tuple[str, ...]] = ("base_url",)

    base_url: str = pydantic.Field(
        description="Address of the provider's API, without a path."
    )
    max_answer_bytes: int = pydantic.Field(
        default=8 << 20,
        ge=1,
        le=256 << 20,
        description="Maximum size of a provider's response; a larger one is an error."
        " Responses over 64 KiB are read one at a time if together they could exceed"
        " 32 MiB.",
    )
    session_deadline: types.PositiveMs = pydantic.Field(
        default=86_400_000,
        description="Time from the registration of a session until it is fetched"
        " without a callback, but not before the session expires. Default of Identomat:"
        ' `"1h"`, of IDnow: `"14d"`. With id beyond it starts when the session'
        " expires.",
    )
    polling: Polling = Polling()
    overdue: Overdue = Overdue()
    return_origins: tuple[str, ...] = pydantic.Field(
        default=(),
        description="Origins of your own pages, such as `https://www.example.com`. End"
        " users are only redirected to them, and only their pages may embed a widget.",
    )
    return_audience: str | None = pydantic.Field(
        default=None,
        min_length=1,
        max_length=255,
        description="`aud` of the signed statement for your page. Default: the name of"
        " the source.",
    )
    concurrency: int = pydantic.Field(
        default=64,
        ge=1,
        le=10_000,
        description="Maximum number of simultaneous fetches, for all workers together.",
    )
    rate_per_s: Annotated[float, pydantic.Field(gt=0)] | None = pydantic.Field(
        default=None,
        description="Maximum number of fetches per second, for all workers together."
        " Without it there is no limit.",
    )
    proxy: Annotated[secret.AccountSecret, pydantic.AfterValidator(_proxy)] | None = (
        pydantic.Field(
            default=None,
            description="HTTP proxy for all calls to the provider, such as"
            " `http://proxy.example.com:3128`, with user and password if required. The"
            " variable `HTTPS_PROXY` is not used by itself (a warning at the start says"
            ' so); `proxy = "env:HTTPS_PROXY"` uses it.',
        )
    )
    fetch_timeout: types.PositiveMs = pydantic.Field(
        default=10_000, description="Time limit for one call to the provider."
    )
    retry: Retry = Retry()
    not_ready: NotReady = NotReady()
    recheck_pending: tuple[types.PositiveMs, ...] = pydantic.Field(
        default=(300_000, 900_000, 3_600_000, 21_600_000, 86_400_000),
        min_length=1,
        description="Intervals after which a pending session is fetched again without a"
        " callback; the last one repeats.",
    )
    recheck_min_interval: types.DurationMs = pydantic.Field(
        default=60_000,
        description="Minimum time between two fetches of a session that is already"
        " final. Callbacks in between are delayed, not lost.",
    )
    unconfirmed_grace: types.DurationMs = pydantic.Field(
        default=600_000,
        description="IDnow: how long a withdrawn session without data is fetched before"
        " the callback's statement is accepted, after at least `denied.answers` denials"
        " since that callback.",
    )
    max_callback_age: types.DurationMs = pydantic.Field(
        default=7 * 86_400_000,
        description="id beyond: a first verdict that was already older when it arrived"
        " is `stale`.",
    )
    max_clock_skew: types.DurationMs = pydantic.Field(
        default=300_000,
        le=86_400_000,
        description="id beyond: a verdict whose signed time is later than its arrival"
        ' by more than this is treated as one without a time; at most `"1d"`.',
    )
    denied: Denied = Denied()
    quarantine_attempts: int = pydantic.Field(
        default=3,
        ge=1,
        description="Attempts to read a result that makes our mapping fail, belongs to"
        " another session, or has no valid signature; then the session ends as a dead"
        " letter.",
    )
    circuit: Circuit = Circuit()

    @property
    def default_authenticate(self) -> tuple[Authenticator, ...]:
        """Return the provider's own list; there is no "none"."""
        raise NotImplementedError

    @property
    def authenticators(self) -> tuple[Authenticator, ...]:
        """Return what every callback of this source must pass, all of it."""
        return self.authenticate or self.default_authenticate

    @property
    def fetches(self) -> bool:
        """Return whether there is a result to fetch at all."""
        return True

    def rules(self, identity_retention_ms: int) -> policy.SourcePolicy:
        """Return what the ledger needs to know of this source."""
        return policy.SourcePolicy(
            provider=self.provider,
            environment=self.environment,
            fetches=self.fetches,
            retry=self.retry.backoff,
            retry_horizon_ms=self.retry.horizon,
            retry_attempts=self.retry.attempts,
            not_ready=self.not_ready.backoff,
            not_ready_attempts=self.not_ready.attempts,
            recheck_pending_ms=self.recheck_pending,
            recheck_min_interval_ms=self.recheck_min_interval,
            unconfirmed_grace_ms=self.unconfirmed_grace,
            denied_answers=self.denied.answers,
            denied_over_ms=self.denied.over,
            quarantine_attempts=self.quarantine_attempts,
            max_callback_age_ms=self.max_callback_age,
            max_clock_skew_ms=self.max_clock_skew,
            session_deadline_ms=self.session_deadline,
            deadline_after_expiry=self.deadline_after_expiry,
            polling=policy.PollSchedule(
                first_ms=self.polling.first,
                every_ms=self.polling.every,
                times=self.polling.times,
            ),
            overdue_attempts=self.overdue.attempts,
            overdue_rejects=self.overdue.reject,
            overdue_kept_ms=self.overdue.kept,
            known_sessions_only=self.known_sessions_only,
            unknown_grace_ms=self.unknown_grace,
            identity_retention_ms=identity_retention_ms,
        )

    @pydantic.field_validator("base_url", "forward_messages_to", check_fields=False)
    @classmethod
    def _url(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        """Return the URL without a closing slash, if it is one we may call."""
        if value is None:
            return None
        return urls.check_external_url(value, path=info.field_name != "base_url")

    @pydantic.field_validator("return_origins")
    @classmethod
    def _origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return *values* as browsers write them, if they are origins and no more."""
        for value in values:
            if urls.origin(value) != value.lower().removesuffix("/"):
                raise ValueError(
                    "must hold origins such as https://www.example.com: scheme, host"
                    " and a port that is not the usual one"
                )
        return tuple(map(urls.origin, values))
