"""Write what a broker reads: ports, ``server.properties``, and the command lines."""

import base64
import dataclasses
import pathlib
import random
import socket
import uuid
from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
INTERNAL = "BROKER"
_CONTROLLER = "CONTROLLER"

# Below the range from which the system takes ports for outgoing connections: the
# port of a killed broker must still be free when it comes back.
_PORTS = range(10_000, 20_000)

# Small and quick to start; every value can be overridden by the caller.
_COMMON = {
    "process.roles": "broker,controller",
    "num.partitions": "3",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # Tests use short sessions; Kafka's own minimum is 6 s.
    "group.min.session.timeout.ms": "500",
    "log.segment.bytes": "16777216",
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "1048577",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    # How long its partitions stop when a broker is killed, and how long it waits
    # before it may register again; Kafka's own is 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one node listens: a port for each listener, the controller's among them."""

    node_id: int
    ports: Mapping[str, int]
    #: what clients are told instead, where something stands in between
    advertised: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def at(self, listener: str) -> str:
        """Return ``host:port`` of *listener*."""
        return f"{HOST}:{self.ports[listener]}"

    def advertised_address(self, listener: str) -> str:
        """Return the ``host:port`` that clients of *listener* are to use."""
        return f"{HOST}:{self.advertised.get(listener, self.ports[listener])}"


def choose_addresses(
    nodes: int,
    *,
    listeners: Sequence[str],
    preferred_port: int | None,
    advertised: Mapping[str, Sequence[int]] | None = None,
) -> list[Address]:
    """
    Choose free ports for every listener of every node.

    Another process may take one before Kafka does: the caller tries again then.
    """
    names = [INTERNAL, _CONTROLLER, *listeners]
    advertised = advertised or {}
    taken = {port for listed in advertised.values() for port in listed}
    addresses = []
    for node_id in range(1, nodes + 1):
        ports = {name: _free_port(taken) for name in names}
        wished = preferred_port and preferred_port + node_id - 1
        if wished and wished not in taken and _is_free(wished):
            taken.add(wished)
            ports[INTERNAL] = wished
        own = {name: each[node_id - 1] for name, each in advertised.items()}
        addresses.append(Address(node_id=node_id, ports=ports, advertised=own))
    return addresses


def _free_port(taken: set[int]) -> int:
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port not in taken and _is_free(port):
            taken.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def server_properties(
    address: Address,
    *,
    cluster: Sequence[Address],
    data: pathlib.Path,
    listeners: Mapping[str, str],
    overrides: Mapping[str, str],
) -> dict[str, str]:
    """
    Return the properties of the node at *address*.

    *listeners* are those beside the internal ones, each with its security protocol;
    *overrides* have the last word.
    """
    protocols = {INTERNAL: "PLAINTEXT", _CONTROLLER: "PLAINTEXT", **listeners}
    reachable = [name for name in protocols if name != _CONTROLLER]
    copies = str(len(cluster))
    in_sync = str(max(1, len(cluster) - 1))
    return {
        **_COMMON,
        "node.id": str(address.node_id),
        "log.dirs": str(data),
        "controller.quorum.voters": ",".join(
            f"{each.node_id}@{each.at(_CONTROLLER)}" for each in cluster
        ),
        "controller.listener.names": _CONTROLLER,
        "inter.broker.listener.name": INTERNAL,
        "listeners": ",".join(f"{name}://{address.at(name)}" for name in protocols),
        "advertised.listeners": ",".join(
            f"{name}://{address.advertised_address(name)}" for name in reachable
        ),
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocol}" for name, protocol in protocols.items()
        ),
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        **overrides,
    }


def render(properties: Mapping[str, str]) -> str:
    """Return *properties* in the form of a Java properties file."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def new_cluster_id() -> str:
    """Return an id for a new cluster: 22 characters of base64url."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # the formatting tool would see an option
            return text


def formatted_cluster_id(data: pathlib.Path) -> str | None:
    """Return the cluster's id if the folder *data* has been formatted before."""
    try:
        lines = (data / "meta.properties").read_text().splitlines()
    except FileNotFoundError:
        return None
    return dict(line.partition("=")[::2] for line in lines).get("cluster.id")
