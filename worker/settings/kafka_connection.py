"""Describe how the Kafka brokers are reached: addresses, SASL and TLS."""

import re
import ssl
from collections.abc import Iterator
from typing import Any, Literal

import pydantic

from worker.settings import secret, types, urls

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", re.ASCII)


class Connection(types.Section):
    """
    The part of the ``[kafka]`` table that says how the brokers are reached.

    ``security_protocol``, ``sasl_*`` and ``ssl_*`` are named as Kafka's clients do.
    """

    bootstrap_servers: str = pydantic.Field(
        default="127.0.0.1:9092",
        description="Brokers to connect to first: `host:port`, separated by commas.",
    )
    client_id: str = pydantic.Field(
        default="kyc-worker",
        description="Name of our clients in the brokers' logs and quotas.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = (
        pydantic.Field(
            default="PLAINTEXT", description="Protocol name, as in Kafka's clients."
        )
    )
    allow_plaintext: bool = pydantic.Field(
        default=False,
        description="With a `live` source, brokers on other machines must be reached by"
        " TLS. Set true if something else encrypts the connection to them.",
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = (
        pydantic.Field(
            default=None,
            description="Required with `SASL_PLAINTEXT` and `SASL_SSL`, refused"
            " otherwise.",
        )
    )
    sasl_username: str | None = pydantic.Field(
        default=None,
        description="Required with `SASL_PLAINTEXT` and `SASL_SSL`, refused otherwise.",
    )
    sasl_password: secret.KafkaSecret | None = pydantic.Field(
        default=None,
        description="Required with `SASL_PLAINTEXT` and `SASL_SSL`, refused otherwise.",
    )
    ssl_cafile: str | None = pydantic.Field(
        default=None,
        description="PEM file of trusted certificate authorities. Without it, those of"
        " the operating system are trusted.",
    )
    ssl_certfile: str | None = pydantic.Field(
        default=None,
        description="PEM file of our client certificate, if the brokers require one.",
    )
    ssl_keyfile: str | None = pydantic.Field(
        default=None,
        description="PEM file of the private key, if it is not in `ssl_certfile`.",
    )
    ssl_password: secret.KafkaSecret | None = pydantic.Field(
        default=None, description="Password of the private key."
    )

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

    @pydantic.field_validator("bootstrap_servers")
    @classmethod
    def _servers(cls, value: str) -> str:
        """Return *value* if it names at least one server."""
        for server in value.split(","):
            match = _SERVER.fullmatch(server.strip())
            if match is None or not 1 <= int(match[1]) <= 65_535:  # noqa: PLR2004 -- ports
                raise ValueError('must be "host:port" or "host:port,host:port"')
        return value.replace(" ", "")

    def conflicts(self) -> Iterator[types.FieldConflict]:
        """Yield settings that contradict each other."""
        yield from self._sasl_conflicts()
        yield from self._tls_conflicts()

    def exposed(self) -> Iterator[types.FieldConflict]:
        """Yield what is not allowed with a live source."""
        away = [
            server
            for server in self.bootstrap_servers.split(",")
            if not urls.loopback(f"kafka://{server}")
        ]
        if self.security_protocol.endswith("SSL") or self.allow_plaintext or not away:
            return
        yield types.FieldConflict(
            ("security_protocol", "bootstrap_servers"),
            f"must be SASL_SSL or SSL: a source is live, and the connection to"
            f" {away[0]} is not encrypted. Set allow_plaintext = true if something else"
            " encrypts it",
        )

    def _sasl_conflicts(self) -> Iterator[types.FieldConflict]:
        sasl = self.security_protocol.startswith("SASL")
        for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
            if sasl and getattr(self, name) is None:
                yield types.FieldConflict(
                    (name, "security_protocol"),
                    f"is missing: {self.security_protocol} requires it",
                )
            if not sasl and getattr(self, name) is not None:
                yield types.FieldConflict(
                    (name, "security_protocol"),
                    "is set, but security_protocol is neither SASL_SSL"
                    " nor SASL_PLAINTEXT: remove it or change security_protocol",
                )

    def _tls_conflicts(self) -> Iterator[types.FieldConflict]:
        if not self.security_protocol.endswith("SSL"):
            for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_password"):
                if getattr(self, name) is not None:
                    yield types.FieldConflict(
                        (name, "security_protocol"),
                        "is set, but security_protocol is neither SSL nor SASL_SSL:"
                        " remove it or change security_protocol",
                    )
            return
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            yield types.FieldConflict(
                ("ssl_certfile", "ssl_keyfile"), "is missing: ssl_keyfile requires it"
            )
        try:
            self._authorities()
        except OSError:
            yield types.FieldConflict(
                ("ssl_cafile",), "names no readable file of PEM certificates"
            )
            return
        if self.ssl_password is not None and self.ssl_password.withheld:
            return
        try:
            self._ssl_context()
        except OSError:
            yield types.FieldConflict(
                ("ssl_certfile", "ssl_keyfile", "ssl_password"),
                "cannot be used with its ssl_keyfile and ssl_password:"
                " check that the files are readable PEM and belong together",
            )
