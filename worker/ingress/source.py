"""Hold what the ingress needs of one source, ready made at start."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import orjson

from worker import model, ports, signing
from worker.settings import sources, types
from worker.telemetry import labels

FORWARDED_FOR = "x-forwarded-for"
AUTHORIZATION = "authorization"

Normalise = Callable[[model.VerifiedCallback], model.Normalised]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that every callback of a source must have."""

    authenticator: labels.Authenticator
    scheme: signing.SignatureScheme
    keys: tuple[bytes, ...] = dataclasses.field(repr=False)
    #: where the keys come from instead, if they are not in the settings
    key_source: signing.KeySource | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IngressSource:
    """
    One source, with every secret in bytes and every URL token made.

    Raises ValueError where an authenticator is listed whose secrets or rules are
    missing, and where nothing is listed that proves anything: there is no way to
    build an open endpoint.
    """

    name: str
    provider: str
    environment: model.Environment
    normalise: Normalise = dataclasses.field(repr=False)
    authenticators: frozenset[sources.Authenticator]
    methods: tuple[str, ...] = ("POST",)
    max_body_bytes: int = 1 << 20
    scheme: signing.SignatureScheme | None = None
    hmac_keys: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    key_source: signing.KeySource | None = dataclasses.field(default=None, repr=False)
    standard_keys: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    tolerance_ms: int = 300_000
    #: accepted callbacks a second; None: any number
    callback_rate: float | None = None
    #: the last segments of the URLs that are valid, as text in ASCII
    tokens: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    #: the field of the body that holds the key; taken out wherever it stands there
    body_key_field: str | None = None
    body_keys: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    #: ``user:password``
    basic_credentials: tuple[bytes, ...] = dataclasses.field(default=(), repr=False)
    networks: tuple[types.Network, ...] = ()
    session_id_query: str | None = None
    #: the headers that the authenticators look at, lower case; no other is taken
    headers: tuple[str, ...] = dataclasses.field(init=False)
    #: the signatures that *authenticators* lists
    signatures: tuple[Signature, ...] = dataclasses.field(init=False)
    #: what a ping holds, if it holds anything
    pings: tuple[Mapping[str, object], ...] = ()
    otp_messages: Literal["discard"] | None = None
    forward_messages_to: str | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what would be open, or closed to everybody."""
        if not self.authenticators - {"ip_allow"}:
            raise ValueError(f"{self.name}: no authenticator that proves anything")
        provided = {
            "hmac_body": self.scheme is not None
            and (self.hmac_keys or self.key_source),
            "standard_webhooks": self.standard_keys,
            "signed_url": self.tokens,
            "body_key": self.body_key_field is not None and self.body_keys,
            "basic": self.basic_credentials,
            "ip_allow": self.networks,
        }
        for authenticator in self.authenticators:
            if not provided[authenticator]:
                raise ValueError(f"{self.name}: {authenticator} has nothing to check")
        object.__setattr__(self, "signatures", tuple(self._signatures()))
        object.__setattr__(self, "headers", tuple(self._headers()))

    def _signatures(self) -> Iterator[Signature]:
        """Yield the signatures that are checked."""
        if "hmac_body" in self.authenticators and self.scheme is not None:
            yield Signature(
                authenticator=labels.Authenticator.HMAC_BODY,
                scheme=self.scheme,
                keys=self.hmac_keys,
                key_source=self.key_source,
            )
        if "standard_webhooks" in self.authenticators:
            yield Signature(
                authenticator=labels.Authenticator.STANDARD_WEBHOOKS,
                scheme=signing.STANDARD_WEBHOOKS,
                keys=self.standard_keys,
            )

    def _headers(self) -> Iterator[str]:
        """Yield the names of the headers that the authenticators look at."""
        if "ip_allow" in self.authenticators:
            yield FORWARDED_FOR
        if "basic" in self.authenticators:
            yield AUTHORIZATION
        for signature in self.signatures:
            yield from signature.scheme.headers

    @property
    def takes_query(self) -> bool:
        """
        Return whether a request without a body may name the session in its query.

        Not where the body is what is signed: that signature proves no query.
        """
        signed = {"hmac_body", "standard_webhooks", "body_key"} & self.authenticators
        return self.session_id_query is not None and not signed

    @property
    def challenge(self) -> str:
        """Return what ``WWW-Authenticate`` says; the same for every cause."""
        scheme = "Basic" if "basic" in self.authenticators else "Signature"
        return f'{scheme} realm="callbacks"'

    def is_ping(self, document: Mapping[str, object] | None) -> bool:
        """Return whether *document*, which is authentic, is a ping and no callback."""
        if not document:
            return document is not None
        return any(
            all(document.get(key) == value for key, value in ping.items())
            for ping in self.pings
        )

    @classmethod
    def from_settings(
        cls,
        name: str,
        settings: sources.Source,
        provider: ports.Provider,
        *,
        scheme: signing.SignatureScheme | None = None,
        body_key: str | None = None,
        key_source: signing.KeySource | None = None,
    ) -> "IngressSource":
        """
        Build the source *name*; the rest comes from the provider's entry.

        Raises ValueError as the constructor does.
        """
        environment = settings.environment
        return cls(
            name=name,
            provider=settings.provider,
            environment=environment,
            normalise=provider.normalise,
            authenticators=frozenset(settings.authenticators),
            methods=settings.methods,
            max_body_bytes=settings.max_body_bytes,
            scheme=scheme,
            key_source=key_source,
            hmac_keys=tuple(secret.key() for secret in settings.hmac_secrets),
            standard_keys=tuple(
                signing.decode_standard_key(secret.reveal())
                for secret in settings.standard_webhook_secrets
            ),
            tolerance_ms=settings.tolerance,
            callback_rate=settings.callback_rate_limit,
            tokens=tuple(
                signing.derive_url_token(secret.key(), environment, name).encode()
                for secret in settings.url_secrets
            ),
            body_key_field=body_key,
            body_keys=tuple(
                secret.key() for secret in getattr(settings, "callback_api_keys", ())
            ),
            basic_credentials=tuple(
                secret.key() for secret in settings.basic_credentials
            ),
            networks=settings.ip_allow,
            session_id_query=settings.session_id_query,
            pings=tuple(map(orjson.loads, settings.ping_bodies)),
            # Only Identomat has messages that must be delivered.
            otp_messages=getattr(settings, "otp_messages", None),
            forward_messages_to=getattr(settings, "forward_messages_to", None),
        )
