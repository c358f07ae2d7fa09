"""Read when the configured TLS certificates expire."""

import pathlib
from collections.abc import Iterator

from worker.settings import kafka_connection
from worker.telemetry import labels


def expiries(
    connection: kafka_connection.Connection,
) -> dict[labels.Certificate, float]:
    """
    Return the expiry of each configured certificate, in seconds since the epoch.

    A client certificate is valid only as long as its whole chain, so that the first
    expiry counts. Of the trusted authorities the last one counts: a file often has
    the next authority beside one that expires soon.

    Reads files. Leaves out a file without a certificate that can be read: connecting
    to Kafka fails with a better message.
    """
    chain = list(_expiries(connection.ssl_certfile))
    authorities = list(_expiries(connection.ssl_cafile))
    found = {}
    if chain:
        found[labels.Certificate.KAFKA_CLIENT] = min(chain)
    if authorities:
        found[labels.Certificate.KAFKA_AUTHORITIES] = max(authorities)
    return found


def _expiries(path: str | None) -> Iterator[float]:
    if path is None:
        return
    from cryptography import x509  # noqa: PLC0415 -- few processes need it

    try:
        certificates = x509.load_pem_x509_certificates(pathlib.Path(path).read_bytes())
    except (OSError, ValueError):
        return
    for certificate in certificates:
        yield certificate.not_valid_after_utc.timestamp()
