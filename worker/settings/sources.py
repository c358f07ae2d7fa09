"""Describe what every source may set, whatever its provider."""

import ipaddress
from typing import Annotated, Literal

import pydantic

from worker import model
from worker.settings import types

Authenticator = Literal[
    "hmac_body", "standard_webhooks", "signed_url", "body_key", "basic", "ip_allow"
]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Retry(types.Section):
    """Back-off after failed fetches."""

    first: types.DurationMs = 2_000
    factor: Annotated[float, pydantic.Field(ge=1, le=10)] = 2.0
    max: types.DurationMs = 900_000
    horizon: types.DurationMs = 72 * 3_600_000


class NotReady(types.Section):
    """Back-off while a result is being made."""

    first: types.DurationMs = 2_000
    max: types.DurationMs = 60_000
    attempts: Annotated[int, pydantic.Field(ge=1)] = 20


class Denied(types.Section):
    """What ends a session that the provider denies, and what such answers may cost."""

    answers: Annotated[int, pydantic.Field(ge=1)] = 5
    over: types.DurationMs = 900_000
    per_minute: Annotated[int, pydantic.Field(ge=1)] = 30


class Circuit(types.Section):
    """When a failing source is left alone, and for how long."""

    failures: Annotated[int, pydantic.Field(ge=1)] = 5
    open: types.DurationMs = 30_000


class Source(types.Section):
    """
    One configured account at one provider; each provider's file subclasses it.

    A subclass adds ``provider: Literal["name"]``, its credentials, its default
    ``base_url``, and sets ``default_authenticate``.
    """

    provider: str
    environment: model.Environment
    base_url: str
    authenticate: tuple[Authenticator, ...] = ()
    methods: tuple[Literal["POST", "GET"], ...] = ("POST",)
    max_body_bytes: Annotated[int, pydantic.Field(ge=1, le=64 << 20)] = 1 << 20
    max_answer_bytes: Annotated[int, pydantic.Field(ge=1, le=256 << 20)] = 8 << 20
    ip_allow: tuple[Network, ...] = ()
    basic_credentials: tuple[types.Secret, ...] = ()  #: "user:password"
    url_secrets: tuple[types.Secret, ...] = ()
    hmac_secrets: tuple[types.Secret, ...] = ()
    standard_webhook_secrets: tuple[types.Secret, ...] = ()
    tolerance_s: Annotated[int, pydantic.Field(ge=1, le=86_400)] = 300
    session_id_query: str | None = None
    known_sessions_only: bool = False
    reference_field: str | None = None
    reference_pattern: str = r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,64}"
    session_deadline: types.DurationMs | None = None
    concurrency: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 64
    rate_per_s: Annotated[float, pydantic.Field(gt=0)] | None = None
    fetch_timeout: types.DurationMs = 10_000
    retry: Retry = Retry()
    not_ready: NotReady = NotReady()
    recheck_pending: Annotated[
        tuple[types.DurationMs, ...], pydantic.Field(min_length=1)
    ] = (300_000, 900_000, 3_600_000, 21_600_000, 86_400_000)
    recheck_min_interval: types.DurationMs = 60_000
    unconfirmed_grace: types.DurationMs = 600_000
    max_callback_age: types.DurationMs = 7 * 86_400_000
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
