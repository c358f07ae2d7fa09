"""Find out where a request comes from, through the proxies we trust."""

import ipaddress
from collections.abc import Sequence

from worker import errors
from worker.settings import types

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_allowed(
    networks: Sequence[types.Network],
    trusted: Sequence[types.Network],
    remote: str | None,
    forwarded_for: Sequence[str],
) -> None:
    """
    Return if the request comes from one of *networks*.

    Raises errors.AuthenticationError where it does not, or where its address
    is not known.
    """
    address = client(trusted, remote, forwarded_for)
    if address is None or not _within(address, networks):
        raise errors.AuthenticationError(errors.AuthCause.ADDRESS)


def client(
    trusted: Sequence[types.Network],
    remote: str | None,
    forwarded_for: Sequence[str],
) -> Address | None:
    """
    Return the nearest address that is no trusted proxy, or None.

    ``X-Forwarded-For`` is read from the right: each trusted proxy vouches for the
    entry left of it, and whatever stands further left is hearsay. Without a trusted
    peer the header is not read at all.
    """
    address = _parse(remote or "")
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    while address is not None and hops and _within(address, trusted):
        address = _parse(hops.pop())
    return address


def _within(address: Address, networks: Sequence[types.Network]) -> bool:
    """Return whether one of *networks* holds *address*."""
    return any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    """Return the address that *text* spells, with or without a port, or None."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
