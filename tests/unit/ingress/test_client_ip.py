"""Where a request comes from, with proxies and without."""

import ipaddress

import pytest

from tests.unit.ingress import conftest, support
from worker import errors
from worker.ingress import client_ip

_ALLOWED = (
    ipaddress.ip_network("62.128.13.228/31"),
    ipaddress.ip_network("2001:db8:1::/48"),
)
_PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
_CLIENT = "62.128.13.229"


@pytest.mark.parametrize(
    ("remote", "forwarded_for", "expected"),
    [
        (_CLIENT, [], _CLIENT),
        (f"::ffff:{_CLIENT}", [], _CLIENT),
        # not a proxy of ours: what it forwards is hearsay
        ("198.51.100.1", [_CLIENT], "198.51.100.1"),
        ("10.0.0.1", [_CLIENT], _CLIENT),
        ("fd00::1", [f"{_CLIENT}:50123"], _CLIENT),
        ("10.0.0.1", ["[2001:db8:1::5]:443"], "2001:db8:1::5"),
        ("10.0.0.1", ["2001:db8:1::5"], "2001:db8:1::5"),
        # from the right: what stands left of the nearest stranger is hearsay
        ("10.0.0.1", [f"{_CLIENT}, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [f"198.51.100.1, {_CLIENT} , 10.1.1.1"], _CLIENT),
        ("10.0.0.1", [_CLIENT, "10.1.1.1, 10.2.2.2"], _CLIENT),
        ("10.0.0.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [f"{_CLIENT}, unknown"], None),
        ("10.0.0.1", [f"{_CLIENT},"], None),
        ("10.0.0.1", [""], None),
        ("10.0.0.1", ["\udcff"], None),
        ("10.0.0.1", ["62.128.13.229.evil"], None),
        ("10.0.0.1", ["062.128.13.229"], None),
        ("", [_CLIENT], None),
        (None, [_CLIENT], None),
    ],
)
def test_client(
    remote: str | None, forwarded_for: list[str], expected: str | None
) -> None:
    """The client is the nearest address that is no trusted proxy."""
    found = client_ip.client(_PROXIES, remote, forwarded_for)

    assert expected == (None if found is None else str(found))


@pytest.mark.parametrize("remote", [_CLIENT, "62.128.13.228", "2001:db8:1:2::3"])
def test_allowed(remote: str) -> None:
    """An address within the networks passes."""
    client_ip.check_allowed(_ALLOWED, (), remote, [])


@pytest.mark.parametrize("remote", ["62.128.13.230", "2001:db8:2::3", "", None, "x"])
def test_not_allowed(remote: str | None) -> None:
    """Any other address, and none, is refused."""
    with pytest.raises(errors.AuthenticationError) as failure:
        client_ip.check_allowed(_ALLOWED, (), remote, [])

    assert errors.AuthCause.ADDRESS is failure.value.cause


async def test_over_a_socket(serve: conftest.Serve) -> None:
    """The peer's address and X-Forwarded-For decide, in front of the rest."""
    loopback = (ipaddress.ip_network("127.0.0.0/8"),)
    of = support.url_source(
        authenticators=frozenset({"ip_allow", "signed_url"}), networks=_ALLOWED
    )
    path = f"by_url/{support.token('by_url')}"
    trusting = await serve(of, trusted_proxies=loopback)
    direct = await serve(of)

    statuses = [
        (await served.send(path, headers={"X-Forwarded-For": _CLIENT})).status
        for served in (trusting, direct)
    ]

    assert statuses == [200, 401]
    assert errors.AuthCause.ADDRESS is direct.observer.last.cause
