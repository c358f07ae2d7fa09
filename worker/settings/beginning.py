"""Describe the tables of beginning and of returning: ``[api]`` and ``[returns]``."""

import hashlib
from collections.abc import Collection, Iterator
from typing import Annotated, Literal

import pydantic

from worker.settings import secret, types

_DAY_MS = 86_400_000
_TICKET_SECRET_MIN_BYTES = 32
_SHA256 = r"^[0-9a-f]{64}$"
_OF_NOTHING = hashlib.sha256(b"").hexdigest()
#: Of the key in deploy/compose.toml, which everybody knows.
_OF_DEMONSTRATION = hashlib.sha256(b"demo-only-api-key").hexdigest()


class ApiKey(types.Section):
    """One entry of ``[[api.keys]]``: the digest of a key, and what it may begin."""

    sha256: Annotated[str, pydantic.Field(pattern=_SHA256)]  #: in hex
    sources: Literal["all"] | tuple[str, ...]

    def permits(self, source: str) -> bool:
        """Return whether the key has a right to *source*."""
        return self.sources == "all" or source in self.sources


class Api(types.Section):
    """The ``[api]`` table; times in milliseconds."""

    host: str = "127.0.0.1"
    port: types.Port = 8081  #: 0: any free port
    admin_port: types.Port = 9092  #: 0: any free port
    keys: tuple[ApiKey, ...] = ()
    #: a photo may be among the parameters
    max_body_bytes: Annotated[int, pydantic.Field(ge=1024, le=64 << 20)] = 8 << 20
    max_in_flight: Annotated[int, pydantic.Field(ge=1, le=100_000)] = 100
    read_timeout: types.PositiveMs = 10_000  #: of a whole request
    ack_timeout: types.PositiveMs = 5_000  #: of each step until Kafka acknowledged it
    #: of a whole begin; one without an end after it was left by its process
    begin_timeout: types.PositiveMs = 30_000
    #: between looks for what a process has left
    recover_interval: types.PositiveMs = 60_000
    #: how long an Idempotency-Key stands for the same begin
    idempotency_window: types.PositiveMs = _DAY_MS
    #: how long a begin is shown whose session nobody can find out
    unresolved_retention: types.PositiveMs = 7 * _DAY_MS
    shutdown_timeout: types.PositiveMs = 30_000
    retry_after: types.PositiveMs = 5_000  #: what a 503 asks for
    keepalive_timeout: types.PositiveMs = 75_000
    linger_timeout: types.PositiveMs = 2_000
    #: for a client to read an answer, before its connection is closed
    send_timeout: types.PositiveMs = 30_000
    #: open at once; past it the slowest is closed for the next
    max_connections: Annotated[int, pydantic.Field(ge=16, le=1_000_000)] = 4000
    #: of all bodies together; past it the slowest is answered 503
    max_buffered_bytes: Annotated[int, pydantic.Field(ge=1 << 20, le=16 << 30)] = (
        64 << 20
    )

    @pydantic.field_validator("idempotency_window")
    @classmethod
    def _within_compaction(cls, value: int) -> int:
        """Return *value* if the topic keeps the order of begins for so long."""
        if value > _DAY_MS:
            raise ValueError("must be at most 24h")
        return value

    def conflicts(self) -> Iterator[types.Conflict]:
        """Yield what contradicts itself."""
        if self.begin_timeout <= 3 * self.ack_timeout:
            yield types.Conflict(
                ("begin_timeout", "ack_timeout"),
                "must be more than three times ack_timeout, or no time is left for"
                " the provider",
            )
        if 4 * self.max_body_bytes > self.max_buffered_bytes:
            yield types.Conflict(
                ("max_buffered_bytes", "max_body_bytes"),
                "must be at least four times max_body_bytes, or one slow body leaves no"
                " room for the next",
            )
        if self.unresolved_retention < self.idempotency_window:
            yield types.Conflict(
                ("unresolved_retention", "idempotency_window"),
                "must be at least idempotency_window",
            )
        seen: set[str] = set()
        for position, key in enumerate(self.keys):
            if key.sha256 in seen:
                yield types.Conflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is there twice: put all sources of a key into one entry",
                )
            seen.add(key.sha256)
            if key.sha256 == _OF_NOTHING:
                yield types.Conflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is the digest of nothing: make a key with `kyc-worker api-key`",
                )

    def exposed(self) -> Iterator[types.Conflict]:
        """Yield what must not be where real persons' sources are (live)."""
        for position, key in enumerate(self.keys):
            if key.sha256 == _OF_DEMONSTRATION:
                yield types.Conflict(
                    (f"keys[{position}].sha256", "keys"),
                    "is of the demonstration's key, which everybody knows, and a source"
                    " is live: make a new one with `kyc-worker api-key`",
                )

    def strangers(self, sources: Collection[str]) -> Iterator[types.Conflict]:
        """Yield what a key has a right to and is none of *sources*."""
        for position, key in enumerate(self.keys):
            for name in () if key.sources == "all" else key.sources:
                if name not in sources:
                    known = ", ".join(sorted(sources)) or "none"
                    yield types.Conflict(
                        (f"keys[{position}].sources",),
                        f"names {name[:31]!r}, which is no source: configured are"
                        f" {known}",
                    )


class Returns(types.Section):
    """The ``[returns]`` table; times in milliseconds."""

    #: the first signs tickets, all are honoured
    ticket_secrets: tuple[secret.TicketSecret, ...] = ()
    #: longer where a source's sessions live longer
    ticket_ttl: types.PositiveMs = _DAY_MS
    #: PEM, EC on P-256: the first signs, the public halves of all are published
    signing_keys: tuple[secret.SigningKey, ...] = ()
    token_ttl: types.PositiveMs = 300_000
    #: returns of one begun session a minute; each wakes it
    finished_per_minute: Annotated[int, pydantic.Field(ge=1, le=1_000_000)] = 10

    def conflicts(self) -> Iterator[types.Conflict]:
        """Yield what is too weak, or no key."""
        seen: set[bytes] = set()
        for position, each in enumerate(self.ticket_secrets):
            if each.withheld:
                continue
            key, name = each.key(), f"ticket_secrets[{position}]"
            if len(key) < _TICKET_SECRET_MIN_BYTES:
                yield types.Conflict(
                    (name, "ticket_secrets"),
                    "is too short: make a new one of at least"
                    f" {_TICKET_SECRET_MIN_BYTES} random bytes",
                )
            if key in seen:
                yield types.Conflict((name, "ticket_secrets"), "is there twice")
            seen.add(key)
        for position, each in enumerate(self.signing_keys):
            if not each.withheld and not is_p256(each.key()):
                yield types.Conflict(
                    (f"signing_keys[{position}]", "signing_keys"),
                    "must be an EC private key on P-256, in PEM, unencrypted: make one"
                    " with `openssl ecparam -name prime256v1 -genkey -noout`",
                )

    def exposed(self) -> Iterator[types.Conflict]:
        """Yield what must not be where real persons' sources are (live)."""
        for position, each in enumerate(self.ticket_secrets):
            if not each.withheld and secret.DEMONSTRATION in each.reveal():
                yield types.Conflict(
                    (f"ticket_secrets[{position}]", "ticket_secrets"),
                    "is the demonstration's, which everybody knows, and a source is"
                    " live: make a new one",
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
