"""Describe the tables of the two services and of the ledger."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import pydantic

from worker.settings import sources as sources_of
from worker.settings import types, urls

_LEAST_RETENTION_MS = 400 * 86_400_000


class Ingress(types.Section):
    """The ``[ingress]`` table; times in milliseconds."""

    host: str = "0.0.0.0"  # noqa: S104 -- a service in a container listens everywhere
    port: types.Port = 8080  #: 0: any free port
    admin_port: types.Port = 9090  #: 0: any free port
    public_url: str = "http://127.0.0.1:8080"  #: what ``url`` prints begins with it
    read_timeout: types.PositiveMs = 10_000  #: of a whole request
    ack_timeout: types.PositiveMs = 5_000  #: until Kafka has acknowledged
    shutdown_timeout: types.PositiveMs = 30_000
    #: what a 503 asks for
    retry_after: types.PositiveMs = 5_000
    #: of an idle connection, and of one whose request head does not come
    keepalive_timeout: types.PositiveMs = 75_000
    #: for the rest of a body that is not read, before the connection is cut
    linger_timeout: types.PositiveMs = 2_000
    #: for a client to read an answer, before its connection is closed
    send_timeout: types.PositiveMs = 30_000
    #: open at once; past it the slowest is closed for the next
    max_connections: Annotated[int, pydantic.Field(ge=16, le=1_000_000)] = 4000
    #: of all bodies together; past it the slowest is answered 503
    max_buffered_bytes: Annotated[int, pydantic.Field(ge=1 << 20, le=16 << 30)] = (
        64 << 20
    )
    #: of a one-time message to ``forward_messages_to``
    forward_timeout: types.PositiveMs = 5_000
    #: dead letters ``unmappable`` a minute and source
    unmappable_per_minute: Annotated[int, pydantic.Field(ge=0, le=10_000)] = 10
    max_in_flight: Annotated[int, pydantic.Field(ge=1, le=1_000_000)] = 1000
    trusted_proxies: tuple[types.Network, ...] = ()

    def too_small_for(
        self, sources: Mapping[str, sources_of.Source]
    ) -> Iterator[types.Conflict]:
        """Yield which of *sources* takes bodies that would never have room."""
        for name, source in sorted(sources.items()):
            if 4 * source.max_body_bytes > self.max_buffered_bytes:
                yield types.Conflict(
                    ("max_buffered_bytes",),
                    f"must be at least four times sources.{name}.max_body_bytes, or"
                    " one slow body leaves no room for the next",
                )

    @pydantic.field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        """Return *value* without its closing slash."""
        return urls.outside(value, path=True).rstrip("/")

    def conflicts(self) -> Iterator[types.Conflict]:
        """Yield what would let callers choose their own address."""
        if types.everybody(self.trusted_proxies):
            yield types.Conflict(
                ("trusted_proxies",),
                "must not hold every address, or each caller says for itself where it"
                " comes from: name the networks of your proxies",
            )


class Worker(types.Section):
    """The ``[worker]`` table; times in milliseconds, counts a partition."""

    host: str = "0.0.0.0"  # noqa: S104 -- a service in a container listens everywhere
    admin_port: types.Port = 9091  #: 0: any free port
    shutdown_timeout: types.PositiveMs = 30_000
    #: how long a commit waits for fast fetches
    gather_window: types.DurationMs = 5
    #: records taken and not yet in a commit; past it the partition pauses
    max_queued_events: Annotated[int, pydantic.Field(ge=1)] = 1000
    #: sessions in flight or due within a minute that the provider has answered for or
    #: that were registered; past it the partition pauses
    max_open_sessions: Annotated[int, pydantic.Field(ge=1)] = 200_000
    #: a source's sessions that wait to be registered; past it the longest held ends
    max_held_sessions: Annotated[int, pydantic.Field(ge=1)] = 10_000
    #: events that wait for their source to be configured; past it they are dead letters
    max_deferred_events: Annotated[int, pydantic.Field(ge=0, le=100_000)] = 1_000
    #: a source's sessions, in all partitions together, that were neither answered for
    #: nor registered; past it those that waited longest end
    max_unanswered_sessions: Annotated[int, pydantic.Field(ge=1)] = 50_000
    #: bytes of memory for these, and for those that wait to be registered
    max_unanswered_bytes: Annotated[int, pydantic.Field(ge=1 << 20)] = 96 << 20
    #: sessions that change in one transaction
    max_commit_sessions: Annotated[int, pydantic.Field(ge=1)] = 500
    #: of the plain commit that proves membership
    membership_timeout: types.PositiveMs = 10_000
    restore_timeout: types.PositiveMs = 300_000
    #: between lazy commits of the group's own offsets
    offset_commit_interval: types.PositiveMs = 5_000
    #: before a failed partition, consumer or producer is built again
    restart_backoff: types.PositiveMs = 500
    restart_backoff_max: types.PositiveMs = 30_000
    #: a partition that makes none for so long fails ``/livez``
    progress_timeout: types.PositiveMs = 120_000


class Ledger(types.Section):
    """The ``[ledger]`` table; times in milliseconds."""

    identity_retention: types.PositiveMs = _LEAST_RETENTION_MS
    #: that is written; both are read. Raised when the last older release is gone
    version: Literal[1, 2] = 1

    @pydantic.field_validator("identity_retention")
    @classmethod
    def _long(cls, value: int) -> int:
        """Return *value* if revisions stay contiguous for as long as is promised."""
        if value < _LEAST_RETENTION_MS:
            raise ValueError("must be at least 400d")
        return value
