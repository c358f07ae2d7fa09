"""Describe what every source may set, whatever its provider."""

import json
import re
from typing import Annotated, ClassVar, Literal

import pydantic

from worker import model, policy
from worker.settings import secret, types, urls

Authenticator = Literal[
    "hmac_body", "standard_webhooks", "signed_url", "body_key", "basic", "ip_allow"
]
Network = types.Network


def _proxy(value: types.Secret) -> types.Secret:
    """Return *value* if it is the URL of a proxy, as far as this process reads it."""
    if not value.withheld:
        urls.proxy(value.reveal())
    return value


class Retry(types.Section):
    """Back-off after failed fetches."""

    first: types.PositiveMs = 2_000
    factor: Annotated[float, pydantic.Field(ge=1, le=10)] = 2.0
    max: types.PositiveMs = 900_000
    horizon: types.DurationMs = 72 * 3_600_000
    #: beside the horizon: no session is given up before so many failures
    attempts: Annotated[int, pydantic.Field(ge=1)] = 5

    @property
    def backoff(self) -> policy.Backoff:
        """Return the delays."""
        return policy.Backoff(first_ms=self.first, factor=self.factor, max_ms=self.max)


class NotReady(types.Section):
    """Back-off while a result is being made."""

    first: types.PositiveMs = 2_000
    factor: Annotated[float, pydantic.Field(ge=1, le=10)] = 2.0
    max: types.PositiveMs = 60_000
    attempts: Annotated[int, pydantic.Field(ge=1)] = 20

    @property
    def backoff(self) -> policy.Backoff:
        """Return the delays."""
        return policy.Backoff(first_ms=self.first, factor=self.factor, max_ms=self.max)


class Denied(types.Section):
    """What ends a session that the provider denies, and what such answers may cost."""

    answers: Annotated[int, pydantic.Field(ge=1)] = 5
    over: types.DurationMs = 900_000
    per_minute: Annotated[int, pydantic.Field(ge=1)] = 30


class Polling(types.Section):
    """Fast polls after a wake-up, while the provider says that it is not finished."""

    first: types.PositiveMs = 5_000
    every: types.PositiveMs = 3_000
    times: Annotated[int, pydantic.Field(ge=0, le=1_000)] = 0


class Overdue(types.Section):
    """What becomes of a registered session that has not ended by its deadline."""

    #: polls past the deadline that must say "not finished"
    attempts: Annotated[int, pydantic.Field(ge=1)] = 3
    #: False: it stays pending
    reject: bool = True
    #: how long it is kept open where nothing can be fetched
    kept: types.DurationMs = 30 * 86_400_000


class Circuit(types.Section):
    """When a failing source is left alone, and for how long."""

    failures: Annotated[int, pydantic.Field(ge=1)] = 5
    open: types.PositiveMs = 30_000


class Source(types.Section):
    """
    One configured account at one provider; each provider's file subclasses it.

    A subclass adds ``provider: Literal["name"]``, its credentials, its default
    ``base_url``, and sets ``default_authenticate``.
    """

    #: ``session_deadline`` counts from the session's own expiry, where that is known
    deadline_after_expiry: ClassVar[bool] = False
    #: the shortest secret of ``hmac_secrets`` that is accepted, in bytes
    hmac_secret_min_bytes: ClassVar[int] = 32

    provider: str
    environment: model.Environment
    base_url: str
    authenticate: tuple[Authenticator, ...] = ()
    methods: tuple[Literal["POST", "GET"], ...] = ("POST",)
    max_body_bytes: Annotated[int, pydantic.Field(ge=1, le=64 << 20)] = 1 << 20
    max_answer_bytes: Annotated[int, pydantic.Field(ge=1, le=256 << 20)] = 8 << 20
    ip_allow: tuple[Network, ...] = ()
    basic_credentials: tuple[secret.CallerSecret, ...] = ()  #: "user:password"
    url_secrets: tuple[secret.UrlSecret, ...] = ()
    hmac_secrets: tuple[secret.CallerSecret, ...] = ()
    standard_webhook_secrets: tuple[secret.CallerSecret, ...] = ()
    callback_api_keys: tuple[secret.CallerSecret, ...] = ()  #: for ``body_key``
    tolerance_s: Annotated[int, pydantic.Field(ge=1, le=86_400)] = 300
    session_id_query: str | None = None
    #: JSON objects: an authentic body that the provider's table does not know, and that
    #: has all members of one of them, is a ping
    ping_bodies: tuple[str, ...] = (
        '{"event":"ping"}',
        '{"type":"ping"}',
        '{"ping":"OK"}',
    )
    known_sessions_only: bool = False
    #: how long a callback waits for its session to be registered
    unknown_grace: types.PositiveMs = 600_000
    reference_field: str | None = None
    reference_pattern: str = r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,64}"
    #: how long a registered session may take; each provider has its own
    session_deadline: types.PositiveMs = 86_400_000
    polling: Polling = Polling()
    overdue: Overdue = Overdue()
    #: of the company's pages that people go back to: "https://www.example.com"
    return_origins: tuple[str, ...] = ()
    return_audience: Annotated[
        str | None, pydantic.Field(min_length=1, max_length=255)
    ] = None
    concurrency: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 64
    rate_per_s: Annotated[float, pydantic.Field(gt=0)] | None = None
    #: the HTTP proxy for all calls to the provider; may hold a password
    proxy: Annotated[secret.AccountSecret, pydantic.AfterValidator(_proxy)] | None = (
        None
    )
    fetch_timeout: types.PositiveMs = 10_000
    retry: Retry = Retry()
    not_ready: NotReady = NotReady()
    recheck_pending: Annotated[
        tuple[types.PositiveMs, ...], pydantic.Field(min_length=1)
    ] = (300_000, 900_000, 3_600_000, 21_600_000, 86_400_000)
    recheck_min_interval: types.DurationMs = 60_000
    unconfirmed_grace: types.DurationMs = 600_000
    max_callback_age: types.DurationMs = 7 * 86_400_000
    #: a signed time later than its receipt by more than this counts as missing
    max_clock_skew: Annotated[types.DurationMs, pydantic.Field(le=86_400_000)] = 300_000
    denied: Denied = Denied()
    quarantine_attempts: Annotated[int, pydantic.Field(ge=1)] = 3
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

    def rules(self, identity_retention_ms: int) -> policy.Rules:
        """Return what the ledger needs to know of this source."""
        return policy.Rules(
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
            polling=policy.Polling(
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
        return urls.outside(value, path=info.field_name != "base_url")

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

    @pydantic.field_validator("ping_bodies")
    @classmethod
    def _objects(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return *values* if each is a JSON object that says something."""
        for value in values:
            try:
                document = json.loads(value)
            except ValueError:
                document = None
            if not isinstance(document, dict) or not document:
                raise ValueError(
                    "must hold JSON objects that are not empty, such as"
                    ' {"event":"ping"}'
                )
        return values

    @pydantic.field_validator("reference_pattern")
    @classmethod
    def _pattern(cls, value: str) -> str:
        """Return *value* if it is a regular expression."""
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(
                f"must be a regular expression: {error.msg} at character {error.pos}"
            ) from None
        return value
