"""Describe how Kafka is reached, and what its clients may take."""

import re
import ssl
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic

from worker.settings import secret, types, urls

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", re.ASCII)
_PREFIX = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_DAY = 86_400_000
_REPLICATED_FACTOR = 3
_REPLICATED_IN_SYNC = 2
#: the first must be below the second
_ORDERED_TIMES = (
    ("session_timeout", "rebalance_timeout"),
    ("rebalance_timeout", "request_timeout"),
    ("commit_deadline", "transaction_timeout"),
)


class Kafka(types.Section):
    """
    The ``[kafka]`` table; times in milliseconds, sizes in bytes.

    ``security_protocol``, ``sasl_*`` and ``ssl_*`` are named as Kafka's clients do.
    """

    bootstrap_servers: str = "127.0.0.1:9092"  #: "host:port,host:port"
    client_id: str = "kyc-worker"
    topic_prefix: Annotated[str, pydantic.Field(pattern=_PREFIX)] = "kyc"
    group_id: Annotated[str, pydantic.Field(min_length=1, max_length=249)] = ""
    #: immutable: a session's partition is computed from it
    partitions: Annotated[int, pydantic.Field(ge=1, le=10_000)] = 24
    durability: Literal["replicated", "single-broker"] = "replicated"
    replication_factor: Annotated[int, pydantic.Field(ge=1, le=32)] = 3
    min_insync_replicas: Annotated[int, pydantic.Field(ge=1, le=32)] = 2

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = (
        "PLAINTEXT"
    )
    #: whoever sets it knows that something else encrypts the way to the brokers
    allow_plaintext: bool = False
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: secret.KafkaSecret | None = None
    ssl_cafile: str | None = None  #: None: the system's authorities
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: secret.KafkaSecret | None = None

    #: of one request; above the rebalance time-out, which waits inside a JoinGroup
    request_timeout: types.PositiveMs = 40_000
    retry_backoff: types.PositiveMs = 100
    metadata_max_age: types.PositiveMs = 60_000
    session_timeout: types.PositiveMs = 10_000
    heartbeat_interval: types.PositiveMs = 1_000
    rebalance_timeout: types.PositiveMs = 20_000
    #: above the controller's broker session time-out (9 s), or a dying broker
    #: discards partitions that would have lived on
    commit_deadline: types.PositiveMs = 20_000
    transaction_timeout: types.PositiveMs = 30_000
    max_batch_bytes: Annotated[int, pydantic.Field(ge=16_384, le=16 << 20)] = 512 << 10
    #: the topics' ``max.message.bytes``, and the bound of each record
    max_message_bytes: Annotated[int, pydantic.Field(ge=16_384, le=16 << 20)] = 1 << 20

    events_retention: types.PositiveMs = 7 * _DAY
    decisions_retention: types.PositiveMs = 30 * _DAY
    dead_letters_retention: types.PositiveMs = 30 * _DAY

    def topic(self, name: str) -> str:
        """Return the full name of the topic *name*, such as ``events``."""
        return f"{self.topic_prefix}.{name}"

    @property
    def answer_timeout(self) -> int:
        """
        Return how long one broker may take for an answer, in milliseconds.

        So that a request to a frozen one ends while there is time for another. Only a
        JoinGroup, which waits for other members, has all of ``request_timeout``.
        """
        return min(self.request_timeout, self.commit_deadline // 2)

    def client_args(self) -> dict[str, Any]:
        """
        Return what every aiokafka client takes to connect; holds the password.

        Reads the certificate files: raises OSError (ssl.SSLError is one) where they
        cannot be used.
        """
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            arguments["ssl_context"] = self._ssl_context()
        if self.security_protocol.startswith("SASL"):
            arguments["sasl_mechanism"] = self.sasl_mechanism
            arguments["sasl_plain_username"] = self.sasl_username
            arguments["sasl_plain_password"] = (
                self.sasl_password.reveal() if self.sasl_password else None
            )
        return arguments

    def _authorities(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ssl_cafile)

    def _ssl_context(self) -> ssl.SSLContext:
        context = self._authorities()
        if self.ssl_certfile is not None:
            # An empty password makes OpenSSL fail instead of asking the terminal.
            password = self.ssl_password.reveal() if self.ssl_password else ""
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile, password)
        return context

    @pydantic.model_validator(mode="before")
    @classmethod
    def _defaults(cls, table: object) -> object:
        """Fill in the defaults that depend on other settings."""
        if not isinstance(table, dict):
            return table
        defaults: dict[str, object] = {
            "group_id": f"{table.get('topic_prefix', 'kyc')}.worker"
        }
        if table.get("durability") == "single-broker":
            defaults |= {"replication_factor": 1, "min_insync_replicas": 1}
        return defaults | table

    @pydantic.field_validator("bootstrap_servers")
    @classmethod
    def _servers(cls, value: str) -> str:
        """Return *value* if it names at least one server."""
        for server in value.split(","):
            match = _SERVER.fullmatch(server.strip())
            if match is None or not 1 <= int(match[1]) <= 65_535:  # noqa: PLR2004 -- ports
                raise ValueError('must be "host:port" or "host:port,host:port"')
        return value.replace(" ", "")

    def conflicts(self) -> Iterator[types.Conflict]:
        """Yield what contradicts itself."""
        yield from self._durability_conflicts()
        yield from self._time_conflicts()
        yield from self._security_conflicts()

    def exposed(self) -> Iterator[types.Conflict]:
        """Yield what must not be where real persons' sources are (live)."""
        away = [
            server
            for server in self.bootstrap_servers.split(",")
            if not urls.loopback(f"kafka://{server}")
        ]
        if self.security_protocol.endswith("SSL") or self.allow_plaintext or not away:
            return
        yield types.Conflict(
            ("security_protocol", "bootstrap_servers"),
            f"must be SASL_SSL or SSL: a source is live, and on the way to {away[0]}"
            " anybody could read and write decisions. Set allow_plaintext = true where"
            " something else encrypts that way",
        )

    def _durability_conflicts(self) -> Iterator[types.Conflict]:
        keys = ("replication_factor", "durability")
        if self.durability == "single-broker":
            if self.min_insync_replicas > self.replication_factor:
                yield types.Conflict(
                    ("min_insync_replicas", "replication_factor"),
                    "must be at most replication_factor",
                )
            return
        if self.replication_factor < _REPLICATED_FACTOR:
            yield types.Conflict(
                keys, 'must be at least 3, or set durability = "single-broker"'
            )
        if self.min_insync_replicas < _REPLICATED_IN_SYNC:
            yield types.Conflict(
                ("min_insync_replicas", "durability"),
                'must be at least 2, or set durability = "single-broker"',
            )
        elif self.min_insync_replicas >= max(self.replication_factor, 3):
            yield types.Conflict(
                ("min_insync_replicas", "replication_factor"),
                "must be below replication_factor, or no broker may ever be down",
            )

    def _time_conflicts(self) -> Iterator[types.Conflict]:
        for lower, higher in _ORDERED_TIMES:
            if getattr(self, lower) >= getattr(self, higher):
                yield types.Conflict((lower, higher), f"must be below {higher}")
        if self.heartbeat_interval * 3 > self.session_timeout:
            yield types.Conflict(
                ("heartbeat_interval", "session_timeout"),
                "must be at most a third of session_timeout",
            )

    def _security_conflicts(self) -> Iterator[types.Conflict]:
        sasl = self.security_protocol.startswith("SASL")
        for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
            if sasl and getattr(self, name) is None:
                yield types.Conflict(
                    (name, "security_protocol"),
                    f"is missing: {self.security_protocol} needs it",
                )
            if not sasl and getattr(self, name) is not None:
                yield types.Conflict(
                    (name, "security_protocol"),
                    "is set, and security_protocol is neither SASL_SSL"
                    " nor SASL_PLAINTEXT: remove it or change that",
                )
        yield from self._tls_conflicts()

    def _tls_conflicts(self) -> Iterator[types.Conflict]:
        if not self.security_protocol.endswith("SSL"):
            for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_password"):
                if getattr(self, name) is not None:
                    yield types.Conflict(
                        (name, "security_protocol"),
                        "is set, and security_protocol is neither SSL nor SASL_SSL:"
                        " remove it or change that",
                    )
            return
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            yield types.Conflict(
                ("ssl_certfile", "ssl_keyfile"), "is missing: ssl_keyfile needs it"
            )
        try:
            self._authorities()
        except OSError:
            yield types.Conflict(
                ("ssl_cafile",), "names no readable file of PEM certificates"
            )
            return
        if self.ssl_password is not None and self.ssl_password.withheld:
            return
        try:
            self._ssl_context()
        except OSError:
            yield types.Conflict(
                ("ssl_certfile", "ssl_keyfile", "ssl_password"),
                "cannot be used with its ssl_keyfile and ssl_password:"
                " check that the files are readable PEM and belong together",
            )
