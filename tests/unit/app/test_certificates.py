"""When configured certificates expire, read from real PEM files."""

import datetime as dt
import pathlib

import pytest
import trustme

from worker.app import certificates
from worker.settings import kafka_connection
from worker.telemetry import labels

_SOON = dt.datetime(2031, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
_LATER = dt.datetime(2032, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def _connection(**files: pathlib.Path) -> kafka_connection.Connection:
    # As it is once its files were checked: they may change after that.
    return kafka_connection.Connection.model_construct(
        **{key: str(path) for key, path in files.items()}  # type: ignore[arg-type]
    )


def _pem(*expiries: dt.datetime) -> bytes:
    authority = trustme.CA()
    leaves = (authority.issue_cert("a.example", not_after=at) for at in expiries)
    return b"".join(leaf.cert_chain_pems[0].bytes() for leaf in leaves)


def test_the_first_of_a_chain_and_the_last_authority_count(
    tmp_path: pathlib.Path,
) -> None:
    """A chain ends with its first certificate, trust with its last authority."""
    chain, authorities = tmp_path / "chain.pem", tmp_path / "ca.pem"
    chain.write_bytes(_pem(_LATER, _SOON))
    authorities.write_bytes(_pem(_SOON, _LATER))

    found = certificates.expiries(
        _connection(ssl_certfile=chain, ssl_cafile=authorities)
    )

    assert found == {
        labels.Certificate.KAFKA_CLIENT: _SOON.timestamp(),
        labels.Certificate.KAFKA_AUTHORITIES: _LATER.timestamp(),
    }


def test_without_files_there_is_nothing() -> None:
    """No series is exported for what is not configured."""
    assert certificates.expiries(_connection()) == {}


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_what_cannot_be_read_is_left_out(
    tmp_path: pathlib.Path, content: bytes | None
) -> None:
    """A process starts all the same: connecting says what is wrong."""
    path = tmp_path / "broken.pem"
    if content is not None:
        path.write_bytes(content)

    assert certificates.expiries(_connection(ssl_certfile=path)) == {}
