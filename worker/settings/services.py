"""Describe the tables of the two services and of the ledger."""

from collections.abc import Iterator, Mapping
from typing import Literal

import pydantic

from worker import policy
from worker.settings import http_server, types, urls
from worker.settings import sources as sources_of

_LEAST_RETENTION_MS = 400 * 86_400_000


class Ingress(types.Section):
    """The ``[ingress]`` table; times in milliseconds."""

    host: str = pydantic.Field(
        default="0.0.0.0",  # noqa: S104 -- a service in a container listens everywhere
        description="Address to listen on.",
    )
    port: http_server.Port = 8080
    admin_port: http_server.AdminPort = 9090
    public_url: str = pydantic.Field(
        default="http://127.0.0.1:8080",
        description="Base of the URLs that `kyc-worker url` prints. It must be https"
        " except on the loopback.",
    )
    read_timeout: http_server.ReadTimeout = 10_000
    ack_timeout: types.PositiveMs = pydantic.Field(
        default=5_000,
        description="Time limit for Kafka to acknowledge an event; then 503.",
    )
    shutdown_timeout: http_server.ShutdownTimeout = 30_000
    retry_after: http_server.RetryAfter = 5_000
    keepalive_timeout: http_server.KeepaliveTimeout = 75_000
    linger_timeout: http_server.LingerTimeout = 2_000
    send_timeout: http_server.SendTimeout = 30_000
    max_connections: http_server.MaxConnections = 4000
    max_buffered_bytes: int = pydantic.Field(
        default=64 << 20,
        ge=1 << 20,
        le=16 << 30,
        description="Memory for all request bodies, from the first byte to the"
        " response. Beyond it, the slowest request is answered with 503. Requests that"
        " have not shown a secret yet (authenticated by `hmac_body`,"
        " `standard_webhooks`, `body_key` or `ip_allow` only) may use one half. It must"
        " be at least four times `max_body_bytes`.",
    )
    forward_timeout: types.PositiveMs = pydantic.Field(
        default=5_000,
        description="Time limit for a request to `forward_messages_to`; then 503.",
    )
    unmappable_per_minute: int = pydantic.Field(
        default=10,
        ge=0,
        le=10_000,
        description="Maximum number of `unmappable` dead letters per minute and source."
        " Beyond it, such a callback only increments a counter and raises an alarm.",
    )
    max_in_flight: int = pydantic.Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="Maximum number of requests that are processed at the same time,"
        " counted once the body is complete. Beyond it, 503 immediately.",
    )
    trusted_proxies: tuple[types.Network, ...] = pydantic.Field(
        default=(),
        description="Networks of your proxies: their `X-Forwarded-For` is trusted and"
        " read from right to left. A list that covers every address is refused.",
    )

    def too_small_for(
        self, sources: Mapping[str, sources_of.Source]
    ) -> Iterator[types.FieldConflict]:
        """Yield the *sources* whose bodies are too large for the buffer."""
        for name, source in sorted(sources.items()):
            if 4 * source.max_body_bytes > self.max_buffered_bytes:
                yield types.FieldConflict(
                    ("max_buffered_bytes",),
                    f"must be at least four times sources.{name}.max_body_bytes, or"
                    " one slow body blocks the next",
                )

    @pydantic.field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        """Return *value* without its closing slash."""
        return urls.check_external_url(value, path=True).rstrip("/")

    def conflicts(self) -> Iterator[types.FieldConflict]:
        """Yield settings that would let callers choose their own address."""
        if types.everybody(self.trusted_proxies):
            yield types.FieldConflict(
                ("trusted_proxies",),
                "must not cover every address, or callers can choose their own address:"
                " list the networks of your proxies",
            )


class Worker(types.Section):
    """The ``[worker]`` table; times in milliseconds, counts a partition."""

    host: str = pydantic.Field(
        default="0.0.0.0",  # noqa: S104 -- a service in a container listens everywhere
        description="Address that the admin port listens on.",
    )
    admin_port: http_server.AdminPort = 9091
    shutdown_timeout: types.PositiveMs = pydantic.Field(
        default=30_000,
        description="How long SIGTERM waits for partitions to finish their work.",
    )
    commit_linger: types.DurationMs = pydantic.Field(
        default=5,
        description="How long a commit waits for fetches that have just started.",
    )
    max_queued_events: int = pydantic.Field(
        default=1000,
        ge=1,
        description="Per partition: events that are consumed and not yet committed."
        " Beyond it, the partition pauses.",
    )
    max_open_sessions: int = pydantic.Field(
        default=200_000,
        ge=1,
        description="Per partition: sessions in progress or due within a minute that"
        " were registered or that the provider has confirmed. Beyond it, the partition"
        " pauses.",
    )
    max_held_sessions: int = pydantic.Field(
        default=10_000,
        ge=1,
        description="Per partition and source: sessions whose callback waits for their"
        " registration. Beyond it, the session that has waited longest ends.",
    )
    max_deferred_events: int = pydantic.Field(
        default=1_000,
        ge=0,
        le=100_000,
        description="Per partition: events that wait, for three days at most, until"
        " their source is configured here or a release reads their version. Beyond it,"
        " they become dead letters.",
    )
    max_unanswered_sessions: int = pydantic.Field(
        default=50_000,
        ge=1,
        description="Per source, shared equally between all partitions: sessions that"
        " were never registered and that the provider has never confirmed. Beyond it,"
        " the session that has waited longest ends.",
    )
    max_unanswered_bytes: int = pydantic.Field(
        default=96 << 20,
        ge=1 << 20,
        description="The same limit in bytes of memory. It also limits the sessions"
        " whose callback waits for their registration.",
    )
    max_commit_sessions: int = pydantic.Field(
        default=500,
        ge=1,
        description="Per partition: approximate maximum number of sessions that change"
        " in one transaction.",
    )
    assignment_check_timeout: types.PositiveMs = pydantic.Field(
        default=10_000,
        description="Time limit for the offset commit that proves that a partition is"
        " still assigned to this worker.",
    )
    restore_timeout: types.PositiveMs = pydantic.Field(
        default=300_000,
        description="Time limit to fence and read one ledger partition.",
    )
    offset_commit_interval: types.PositiveMs = pydantic.Field(
        default=5_000,
        description="Time between commits of the consumer group's offsets, which only"
        " serve consumer lag and autoscaling.",
    )
    restart_backoff: types.PositiveMs = pydantic.Field(
        default=500,
        description="Wait before a failed partition or consumer is rebuilt. It doubles"
        " with every failure.",
    )
    restart_backoff_max: types.PositiveMs = pydantic.Field(
        default=30_000, description="Maximum of that wait."
    )
    watchdog_timeout: types.PositiveMs = pydantic.Field(
        default=120_000,
        description="A worker without progress for this time is rebuilt; after twice"
        " this time `/livez` fails. The worker is not ready while a partition has"
        " events and has consumed none for this time.",
    )

    @property
    def backoff(self) -> policy.Backoff:
        """Return the waits before a partition or a consumer is rebuilt."""
        return policy.Backoff(
            initial_delay_ms=self.restart_backoff,
            max_delay_ms=self.restart_backoff_max,
            jitter=0.5,
        )


class Ledger(types.Section):
    """The ``[ledger]`` table; times in milliseconds."""

    session_retention: types.PositiveMs = pydantic.Field(
        default=_LEAST_RETENTION_MS,
        description="How long an ended session is remembered, so that a late callback"
        " continues its revisions. It must be at least 400 days and longer than the"
        " retention of every topic.",
    )
    version: Literal[1, 2] = pydantic.Field(
        default=2,
        description="Version of the records that are written; both versions are read."
        " Version 2 needs half the space on disk and in memory. Set 1 while a worker of"
        " a release that only knows version 1 (0.1) is running.",
    )

    @pydantic.field_validator("session_retention")
    @classmethod
    def _long(cls, value: int) -> int:
        """Return *value* if it is at least the promised retention."""
        if value < _LEAST_RETENTION_MS:
            raise ValueError("must be at least 400d")
        return value
