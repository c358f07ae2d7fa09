"""One broker or several that form a cluster: folders, ports, start and end of all."""

import asyncio
import pathlib
import shutil
import tempfile
import threading
import types
from collections.abc import Mapping, Sequence
from typing import Self

from worker.devkit.broker import config, formatting, jars, java, node, process

_PORT_ATTEMPTS = 5
# Until SIGTERM is followed by SIGKILL. Brokers that end together wait 5 s for each
# other, in vain: no reason to wait for data that are deleted next.
_STOP_KEPT_S = 10.0
_STOP_TEMPORARY_S = 1.5


class Cluster:
    """
    Apache Kafka as child processes of this one.

    They end with this process, however it ends, unless *detached*. Without
    *data_dir* the data are in a temporary folder and are deleted at the end; with
    it they are kept, and used again by the next cluster of as many nodes. Ports are
    free ones, *preferred_port* (and those after it, for further nodes) if possible.

    *properties* override those of ``server.properties``; *listeners* adds listeners
    by name and security protocol (``{"CLIENTS": "SASL_SSL"}``), and *advertised* are
    the ports that clients of one are told instead, one a node, where a proxy stands
    in between; *format_args* go to the tool that formats an empty data folder
    (``["--add-scram", …]``).
    *fast_start* spares the optimising compiler: leave it out to measure throughput.
    *java_options* are further options of Java.
    """

    def __init__(
        self,
        nodes: int = 1,
        data_dir: pathlib.Path | None = None,
        properties: Mapping[str, str] | None = None,
        *,
        listeners: Mapping[str, str] | None = None,
        advertised: Mapping[str, Sequence[int]] | None = None,
        format_args: Sequence[str] = (),
        preferred_port: int | None = None,
        fast_start: bool = True,
        heap_mib: int = 384,
        java_options: Sequence[str] = (),
        detached: bool = False,
        ready_timeout_s: float = 60.0,
        stop_timeout_s: float | None = None,
    ) -> None:
        if detached and data_dir is None:
            raise ValueError("a detached cluster needs a data_dir of its own")
        self.nodes: list[node.Node] = []
        self._size = nodes
        self._data_dir = data_dir
        self._properties = dict(properties or {})
        self._listeners = dict(listeners or {})
        self._advertised = dict(advertised or {})
        self._format_args = tuple(format_args)
        self._preferred_port = preferred_port
        self._fast_start = fast_start
        self._heap_mib = heap_mib
        self._java_options = tuple(java_options)
        self._detached = detached
        self._ready_timeout_s = ready_timeout_s
        self._stop_timeout_s = stop_timeout_s or (
            _STOP_KEPT_S if data_dir else _STOP_TEMPORARY_S
        )
        self._root: pathlib.Path | None = None
        self._abort = threading.Event()
        self._busy = threading.Lock()

    @property
    def bootstrap_servers(self) -> str:
        """The addresses for clients, without security."""
        return self.bootstrap(config.INTERNAL)

    def bootstrap(self, listener: str) -> str:
        """Return the addresses for clients of *listener*."""
        return ",".join(
            each.address.advertised_address(listener) for each in self.nodes
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start all nodes, return when each of them lists all; raises BrokerError."""
        try:
            await asyncio.to_thread(self.start_sync)
        except asyncio.CancelledError:
            self._abort.set()
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all nodes and delete what was temporary; does nothing twice."""
        await asyncio.to_thread(self.stop_sync)

    def start_sync(self) -> None:
        """Do what ``start`` does, without an event loop."""
        self._abort.clear()
        kafka = java.kafka(
            jars.ensure(abort=self._abort),
            fast_start=self._fast_start,
            heap_mib=self._heap_mib,
            extra=self._java_options,
        )
        try:
            with self._busy:
                self._root = self._create_root()
                for attempt in range(1, _PORT_ATTEMPTS + 1):
                    try:
                        self._start_once(kafka, self._root)
                    except node.PortTaken:
                        if attempt == _PORT_ATTEMPTS:
                            raise
                        self._end_children()
                    else:
                        return
        except BaseException:
            self.stop_sync()
            raise

    def stop_sync(self) -> None:
        """Do what ``stop`` does, without an event loop."""
        with self._busy:
            self._end_children()
            if self._root and not self._data_dir:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root = None

    def _create_root(self) -> pathlib.Path:
        if self._data_dir is None:
            return pathlib.Path(tempfile.mkdtemp(prefix="kyc-worker-kafka-"))
        root = self._data_dir.absolute()
        root.mkdir(parents=True, exist_ok=True)
        found = len(list(root.glob("node-*/data/meta.properties")))
        if found not in {0, self._size}:
            raise process.BrokerError(
                f"The data in {root} are those of {found} brokers, not {self._size}: "
                "start as many, or delete that folder."
            )
        return root

    def _start_once(self, kafka: java.Kafka, root: pathlib.Path) -> None:
        """Choose ports, write the configuration, format what is new, and start."""
        addresses = config.choose_addresses(
            self._size,
            listeners=list(self._listeners),
            preferred_port=self._preferred_port,
            advertised=self._advertised,
        )
        self.nodes = [self._made_node(kafka, root, address) for address in addresses]
        for each in self.nodes:
            data = each.properties_path.parent / "data"
            properties = config.server_properties(
                each.address,
                cluster=addresses,
                data=data,
                listeners=self._listeners,
                overrides=self._properties,
            )
            data.mkdir(parents=True, exist_ok=True)
            each.properties_path.write_text(config.render(properties))
        formatting.format_folders(
            kafka, [each.properties_path for each in self.nodes], self._format_args
        )
        if self._abort.is_set():
            raise process.BrokerError("The start of the broker was interrupted.")
        for each in self.nodes:
            each.launch()
        node.wait_until_ready(
            self.nodes, timeout_s=self._ready_timeout_s, abort=self._abort
        )

    def _made_node(
        self, kafka: java.Kafka, root: pathlib.Path, address: config.Address
    ) -> node.Node:
        return node.Node(
            kafka=kafka,
            folder=root / f"node-{address.node_id}",
            address=address,
            ready_timeout_s=self._ready_timeout_s,
            stop_timeout_s=self._stop_timeout_s,
            detached=self._detached,
            doomed=None if self._data_dir else root,
        )

    def _end_children(self) -> None:
        children = [each.child for each in self.nodes if each.child]
        process.terminate(children, timeout_s=self._stop_timeout_s)
