"""Start a Kafka that lets nobody do anything without TLS, a password and a right."""

import datetime as dt
import pathlib
from typing import Self

import trustme
from cryptography.hazmat.primitives import serialization

from tests.support import kafka_acls
from worker import settings
from worker.devkit import broker

#: those of docs/operations/acls.md, and two who begin with no right at all
USERS = ("ingress", "worker", "operator", "subscriber", "newcomer", "beginner", "api")
_HOST = "127.0.0.1"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
#: for certificates, which know no Clock
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
#: SASL over TLS; the same with a certificate that is over; TLS with client's own
_LISTENERS = {"CLIENT": "SASL_SSL", "EXPIRED": "SASL_SSL", "MUTUAL": "SSL"}


#: stands in every password and nowhere else
PASSWORD = "correct-horse"


class Secured:
    """
    One broker with certificates, users and an authorizer, and what clients need.

    Its own listener without security may do everything: for the tests alone.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.cafile = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.cafile)
        self.keystore = self.certificate("broker")
        expired = self.certificate("expired", until=YESTERDAY)
        self.cluster = broker.Cluster(
            listeners=_LISTENERS,
            properties={
                "authorizer.class.name": _AUTHORIZER,
                "super.users": "User:ANONYMOUS",  # the broker itself, and the tests
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.client.scram-sha-512.sasl.jaas.config": _SCRAM,
                "listener.name.expired.scram-sha-512.sasl.jaas.config": _SCRAM,
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(self.keystore),
                "listener.name.expired.ssl.keystore.location": str(expired),
                "listener.name.mutual.ssl.client.auth": "required",
                "listener.name.mutual.ssl.truststore.type": "PEM",
                "listener.name.mutual.ssl.truststore.location": str(self.cafile),
                "ssl.principal.mapping.rules": "RULE:^CN=([^,]*),.*$/$1/,DEFAULT",
            },
            format_args=[
                argument
                for user in USERS
                for argument in (
                    "--add-scram",
                    f"SCRAM-SHA-512=[name={kafka_acls.principal(user)},password={PASSWORD}]",
                )
            ],
        )

    def __enter__(self) -> Self:
        self.cluster.start_sync()
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.stop_sync()

    @property
    def unguarded(self) -> str:
        """The address at which everything is allowed."""
        return self.cluster.bootstrap_servers

    def certificate(
        self,
        name: str,
        *,
        until: dt.datetime | None = None,
        by: trustme.CA | None = None,
    ) -> pathlib.Path:
        """Return a file with a key and the certificate of *name*, in this order."""
        since = until - dt.timedelta(days=1) if until else None
        issued = (by or self._authority).issue_cert(
            _HOST,
            common_name=kafka_acls.principal(name),
            not_before=since,
            not_after=until,
        )
        # Java reads no other kind of key.
        key = serialization.load_pem_private_key(
            issued.private_key_pem.bytes(), password=None
        ).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = self._folder / f"{name}.pem"
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        path.write_bytes(key + chain)
        return path

    def renew(self, *, until: dt.datetime | None = None) -> None:
        """Give the broker another certificate, which it takes with its next start."""
        self.certificate("broker", until=until)

    def table(self, user: str, listener: str = "CLIENT") -> dict[str, str]:
        """Return the settings with which *user* gets in."""
        return {
            "bootstrap_servers": self.cluster.bootstrap(listener),
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": kafka_acls.principal(user),
            "sasl_password": PASSWORD,
            "ssl_cafile": str(self.cafile),
        }

    def environment(self, user: str) -> dict[str, str]:
        """Return the variables with which the processes of *user* get in."""
        found = self.table(user).items()
        return {f"KYC_KAFKA__{name.upper()}": value for name, value in found}

    def kafka(self, user: str, prefix: str, **changed: object) -> settings.Kafka:
        """Return the configuration of *user*, for two partitions on this broker."""
        found = {"topic_prefix": prefix, "partitions": 2, "durability": "single-broker"}
        return settings.Kafka.model_validate(found | self.table(user) | changed)
