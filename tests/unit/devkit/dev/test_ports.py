"""A port that cannot be had is found out before anything starts."""

import socket

import pytest

from worker.devkit.dev import ports


def test_free_ports_differ() -> None:
    """Two ports of any number are two ports."""
    first, second = ports.reserve_ports([(0, "--port"), (0, "--admin-port")])
    assert first != second


def test_a_taken_port_is_refused_with_its_option() -> None:
    """The sentence says which option to change."""
    with socket.create_server((ports.HOST, 0)) as listening:
        taken = listening.getsockname()[1]
        with pytest.raises(ports.DevError) as refused:
            ports.reserve_ports([(0, "--port"), (taken, "--admin-port")])
    assert f"Port {taken} is taken" in str(refused.value)
    assert "--admin-port" in str(refused.value)


def test_one_port_for_two_is_refused() -> None:
    """Whoever comes second could not listen."""
    port = ports.free()
    with pytest.raises(ports.DevError, match=f"Port {port} is taken"):
        ports.reserve_ports([(port, "--port"), (port, "--admin-port")])
