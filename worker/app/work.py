"""Put the worker process together: group, partitions, sources, admin port."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import cast

from worker import clock as clocks
from worker import model, ports, settings
from worker.pipeline import binding, memory, observer, partition
from worker.transport import owned


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """Makes a partition's loop for the transport."""

    sources: Mapping[str, binding.Binding]
    limits: binding.Limits
    clock: clocks.Clock
    watch: observer.Observer
    crash_lock: asyncio.Lock

    def loader(self) -> memory.Memory:
        """Return an empty memory, to restore into."""
        return memory.Memory()

    def work(
        self,
        *,
        committer: ports.Committer,
        loader: owned.Loader,
        position: model.Position,
        end_offset: int,
        recheck_open: bool,
    ) -> partition.Partition:
        """Return the partition's loop over what was restored."""
        return partition.Partition(
            committer=committer,
            sources=self.sources,
            clock=self.clock,
            watch=self.watch,
            limits=self.limits,
            crash_lock=self.crash_lock,
            sessions=cast("memory.Memory", loader),
            position=position,
            end_offset=end_offset,
            recheck_open=recheck_open,
        )


def limits(worker: settings.Worker) -> binding.Limits:
    """Return a partition's bounds as configured."""
    return binding.Limits(
        gather_ms=worker.gather_window,
        inbox=worker.max_queued_events,
        max_open=worker.max_open_sessions,
        max_batch=worker.max_commit_sessions,
    )


def share(sources: Mapping[str, binding.Binding], owned_now: int, all_of: int) -> None:
    """Give every source's gate the share that *owned_now* partitions stand for."""
    for each in sources.values():
        each.gate.set_share(owned_now, all_of)
