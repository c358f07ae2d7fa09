"""One broker: its folder, its process, and what can be done to it."""

import asyncio
import contextlib
import os
import pathlib
import signal
import threading
import time
from collections.abc import Sequence

from worker.devkit.broker import config, java, metadata_probe, process

_POLL_S = 0.02
_LOST_RACE = ("BindException", "Address already in use")


class PortTaken(process.BrokerError):
    """Another process took a port between its choice and its use."""


class Node:
    """
    A broker of a cluster.

    Signals hit the Java process itself. A node that was killed or stopped starts
    again on the same ports, with the data it has.
    """

    def __init__(
        self,
        *,
        kafka: java.Kafka,
        folder: pathlib.Path,
        address: config.Address,
        stop_timeout_s: float,
        ready_timeout_s: float,
        detached: bool,
        doomed: pathlib.Path | None,
    ) -> None:
        self.address = address
        self.log_path = folder / "broker.log"
        self.pid_path = folder / "broker.pid"
        self.properties_path = folder / "server.properties"
        self._kafka = kafka
        self._stop_timeout_s = stop_timeout_s
        self._ready_timeout_s = ready_timeout_s
        self._detached = detached
        self._doomed = doomed
        self._log_from = 0
        self.child: process.Child | process.Detached | None = None

    @property
    def node_id(self) -> int:
        """The broker's ``node.id``, counted from 1."""
        return self.address.node_id

    @property
    def pid(self) -> int | None:
        """The process id of Java, None when it does not run."""
        return self.child.pid if self.child and self.child.alive() else None

    def kill(self) -> None:
        """End the broker at once, as a crash would (SIGKILL)."""
        self._send(signal.SIGKILL)

    def suspend(self) -> None:
        """Stop the clock of the broker: its connections stay and say nothing."""
        self._send(signal.SIGSTOP)
        if self.child:
            # On a busy machine its other threads go on for a while. Not reaped here,
            # and one that is not our child cannot be waited for.
            with contextlib.suppress(ChildProcessError):
                until = os.WSTOPPED | os.WEXITED | os.WNOWAIT
                os.waitid(os.P_PID, self.child.pid, until)

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        self._send(signal.SIGCONT)

    async def start(self) -> None:
        """Start the broker again and return when it answers; raises BrokerError."""
        await asyncio.to_thread(self.start_sync)

    async def stop(self) -> None:
        """Stop the broker in an orderly way."""
        await asyncio.to_thread(self.stop_sync)

    def start_sync(self) -> None:
        """Do what ``start`` does, without an event loop."""
        if self.child:
            process.wait([self.child], timeout_s=self._stop_timeout_s)
        self.launch()
        wait_until_ready(
            [self], timeout_s=self._ready_timeout_s, abort=threading.Event()
        )

    def stop_sync(self) -> None:
        """Do what ``stop`` does, without an event loop."""
        if self.child:
            process.terminate([self.child], timeout_s=self._stop_timeout_s)

    def launch(self) -> None:
        """Start the process and wait for nothing; it must not be running."""
        if self.pid is not None:
            raise process.BrokerError(
                f"Broker {self.node_id} runs already: stop or kill it first."
            )
        self._log_from = _size(self.log_path)
        command = self._kafka.serve(self.properties_path)
        if self._detached:
            self.child = process.Detached.spawn(command, log_path=self.log_path)
        else:
            self.child = process.Child(
                command, log_path=self.log_path, doomed=self._doomed
            )
        self.pid_path.write_text(f"{self.child.pid}\n")

    def listed(self) -> set[int]:
        """Return the ids of the brokers that this one knows to be alive; or none."""
        return metadata_probe.listed_brokers(
            self.address.ports[config.INTERNAL],
            cluster_id=config.formatted_cluster_id(
                self.properties_path.parent / "data"
            ),
        )

    def log_end(self) -> str:
        """Return what matters at the end of the log of the latest start."""
        return process.log_end(self.log_path, since=self._log_from)

    def _send(self, number: signal.Signals) -> None:
        if self.child:
            self.child.send(number)


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.exists() else 0


def wait_until_ready(
    nodes: Sequence[Node], *, timeout_s: float, abort: threading.Event
) -> None:
    """
    Return when each of *nodes* answers and knows all of *nodes* to be alive.

    Raises PortTaken when one ended because of a lost race for its port, and
    BrokerError when one ended otherwise, when the time is over, or when *abort* is
    set.
    """
    expected = {node.node_id for node in nodes}
    deadline = time.monotonic() + timeout_s
    for node in nodes:
        while not expected <= node.listed():
            for each in nodes:
                _check_alive(each)
            if time.monotonic() > deadline:
                raise process.BrokerError(
                    f"Broker {node.node_id} did not answer within {timeout_s:g} s: "
                    "free some memory and processor time, or look into its log, "
                    f"which ends with:\n{node.log_end()}"
                )
            if abort.wait(_POLL_S):
                raise process.BrokerError("The start of the broker was interrupted.")


def _check_alive(node: Node) -> None:
    if node.pid is not None:
        return
    tail = node.log_end()
    kind = PortTaken if any(sign in tail for sign in _LOST_RACE) else None
    raise (kind or process.BrokerError)(
        f"Broker {node.node_id} ended instead of starting: read why at the end of its "
        f"log {node.log_path}:\n{tail}"
    )
