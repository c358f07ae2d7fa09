"""Describe the settings of session starts and returns: ``[api]``, ``[returns]``."""

import hashlib
from collections.abc import Collection, Iterator
from typing import Literal

import pydantic

from worker.settings import http_server, secret, types

_DAY_MS = 86_400_000
_TICKET_SECRET_MIN_BYTES = 32
_SHA256 = r"^[0-9a-f]{64}$"
_EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()
#: The digest of the public key in deploy/compose.toml.
_DEMO_DIGEST = hashlib.sha256(b"demo-only-api-key").hexdigest()


class ApiKey(types.Section):
    """One entry of ``[[api.keys]]``: the digest of a key, and its sources."""

    sha256: str = pydantic.Field(
        pattern=_SHA256,
        description="SHA-256 digest of the key, in hexadecimal. `kyc-worker api-key`"
        " generates both. Each `[[api.keys]]` is one key; all keys are valid at the"
        " same time.",
    )
    sources: Literal["all"] | tuple[str, ...] = pydantic.Field(
        description="Sources for which the key may start and register sessions."
    )

    def permits(self, source: str) -> bool:
        """Return whether the key permits *source*."""
        return self.sources == "all" or source in self.sources


class Api(types.Section):
    """The ``[api]`` table; times in milliseconds."""

    host: str = pydantic.Field(
        default="127.0.0.1",
        description="Address that the service and its admin port listen on. The API"
        " is for your own services: do not expose it to the internet.",
    )
    port: http_server.Port = 8081
    admin_port: http_server.AdminPort = 9092
    keys: tuple[ApiKey, ...] = ()
    max_body_bytes: int = pydantic.Field(
        default=8 << 20,
        ge=1024,
        le=64 << 20,
        description="Maximum size of a request body; then 413. The parameters may"
        " contain a photo.",
    )
    max_in_flight: int = pydantic.Field(
        default=100,
        ge=1,
        le=100_000,
        description="Maximum number of requests that are processed at the same time,"
        " counted once the body is complete. Beyond it, 503 immediately.",
    )
    read_timeout: http_server.ReadTimeout = 10_000
    ack_timeout: types.PositiveMs = pydantic.Field(
        default=5_000, description="Time limit for Kafka to acknowledge each step."
    )
    begin_timeout: types.PositiveMs = pydantic.Field(
        default=30_000,
        description="Time limit for a whole session start, including the provider's"
        " response. A session start without a result by then is `outcome_unknown`. It"
        " must be more than three times `ack_timeout`.",
    )
    recovery_interval: types.PositiveMs = pydantic.Field(
        default=60_000,
        description="Time between checks for session starts that a stopped process has"
        " not completed.",
    )
    idempotency_window: types.PositiveMs = pydantic.Field(
        default=_DAY_MS,
        description="How long an `Idempotency-Key` refers to the same session start; at"
        " most 24 hours.",
    )
    unresolved_retention: types.PositiveMs = pydantic.Field(
        default=7 * _DAY_MS,
        description="How long a session start whose session cannot be determined is"
        " listed.",
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
        " response. Beyond it, the slowest request is answered with 503. It must be at"
        " least four times `max_body_bytes`.",
    )

    @pydantic.field_validator("idempotency_window")
    @classmethod
    def _within_compaction(cls, value: int) -> int:
        """Return *value* if the topic keeps the order of session starts that long."""
        if value > _DAY_MS:
            raise ValueError("must be at most 24h")
        return value

    def conflicts(self) -> Iterator[types.FieldConflict]:
        """Yield settings that contradict each other."""
        if self.begin_timeout <= 3 * self.ack_timeout:
            yield types.FieldConflict(
                ("begin_timeout", "ack_timeout"),
                "must be more than three times ack_timeout, to leave time for the"
                " provider",
            )
        if 4 * self.max_body_bytes > self.max_buffered_bytes:
            yield types.FieldConflict(
                ("max_buffered_bytes", "max_body_bytes"),
                "must be at least four times max_body_bytes, or one slow body blocks"
                " the next",
            )
        if self.unresolved_retention < self.idempotency_window:
            yield types.FieldConflict(
                ("unresolved_retention", "idempotency_window"),
                "must be at least idempotency_window",
            )
        seen: set[str] = set()
        for position, key in enumerate(self.keys):
            if key.sha256 in seen:
                yield types.FieldConflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is a duplicate: put all sources of a key into one entry",
                )
            seen.add(key.sha256)
            if key.sha256 == _EMPTY_DIGEST:
                yield types.FieldConflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is the digest of an empty key: generate one with"
                    " `kyc-worker api-key`",
                )

    def exposed(self) -> Iterator[types.FieldConflict]:
        """Yield what is not allowed with a live source."""
        for position, key in enumerate(self.keys):
            if key.sha256 == _DEMO_DIGEST:
                yield types.FieldConflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is the digest of the public demo key, but a source is live:"
                    " generate a new one with `kyc-worker api-key`",
                )

    def unknown_sources(
        self, sources: Collection[str]
    ) -> Iterator[types.FieldConflict]:
        """Yield the permitted sources that are not in *sources*."""
        for position, key in enumerate(self.keys):
            for name in () if key.sources == "all" else key.sources:
                if name not in sources:
                    known = ", ".join(sorted(sources)) or "none"
                    yield types.FieldConflict(
                        (f"keys[{position}].sources",),
                        f"names {name[:31]!r}, which is not a source: configured are"
                        f" {known}",
                    )


class Returns(types.Section):
    """The ``[returns]`` table; times in milliseconds."""

    ticket_secrets: tuple[secret.TicketSecret, ...] = pydantic.Field(
        default=(),
        description="Secrets of at least 32 bytes each. The first one signs return"
        " tickets and derives begin ids; all of them are accepted. To rotate, append"
        " the new secret, then move it to the front, and keep the old one for one day.",
    )
    ticket_ttl: types.PositiveMs = pydantic.Field(
        default=_DAY_MS,
        description="How long an end user may take to return. Set a longer time if the"
        " `session_deadline` of a source is longer.",
    )
    signing_keys: tuple[secret.SigningKey, ...] = pydantic.Field(
        default=(),
        description="EC private keys on P-256, in PEM. The first one signs; the public"
        " keys of all are published at `/.well-known/jwks.json`.",
    )
    token_ttl: types.PositiveMs = pydantic.Field(
        default=300_000,
        description="Lifetime of the signed statement that your page receives with an"
        " end user who returns.",
    )
    finished_per_minute: int = pydantic.Field(
        default=10,
        ge=1,
        le=1_000_000,
        description="Maximum number of returns per minute that wake one session, at"
        " `/return` and `/finished` together. Beyond it, `/finished` answers with 429,"
        " and `/return` redirects without a wake-up.",
    )

    def conflicts(self) -> Iterator[types.FieldConflict]:
        """Yield secrets that are weak, duplicate or not a key."""
        seen: set[bytes] = set()
        for position, each in enumerate(self.ticket_secrets):
            if each.withheld:
                continue
            key, name = each.key(), f"ticket_secrets[{position}]"
            if len(key) < _TICKET_SECRET_MIN_BYTES:
                yield types.FieldConflict(
                    (name, "ticket_secrets"),
                    "is too short: generate a new one of at least"
                    f" {_TICKET_SECRET_MIN_BYTES} random bytes",
                )
            if key in seen:
                yield types.FieldConflict((name, "ticket_secrets"), "is a duplicate")
            seen.add(key)
        for position, each in enumerate(self.signing_keys):
            if not each.withheld and not is_p256(each.key()):
                yield types.FieldConflict(
                    (f"signing_keys[{position}]", "signing_keys"),
                    "must be an EC private key on P-256, in PEM, unencrypted: make one"
                    " with `openssl ecparam -name prime256v1 -genkey -noout`",
                )

    def exposed(self) -> Iterator[types.FieldConflict]:
        """Yield what is not allowed with a live source."""
        for position, each in enumerate(self.ticket_secrets):
            if not each.withheld and secret.DEMONSTRATION in each.reveal():
                yield types.FieldConflict(
                    (f"ticket_secrets[{position}]", "ticket_secrets"),
                    "is the public demo secret, but a source is live: generate a new"
                    " one",
                )


def is_p256(pem: bytes) -> bool:
    """Return whether *pem* is an unencrypted EC private key on P-256."""
    # Here, because most processes have no such key, and all of them start with this.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 -- see above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 -- see above

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(
        key.curve, ec.SECP256R1
    )
