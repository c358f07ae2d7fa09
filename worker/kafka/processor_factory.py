"""Build what processes an assigned partition."""

import dataclasses
import functools
from collections.abc import Mapping

from worker import clock as clocks
from worker import model, ports
from worker.kafka import event_decoder
from worker.pipeline import (
    poison_pill,
    processor,
    session_store,
    source_runtime,
    telemetry,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorFactory:
    """Builds a partition's session store and its processor."""

    sources: Mapping[str, source_runtime.Binding]
    limits: source_runtime.Limits
    clock: clocks.Clock
    watch: telemetry.WorkerTelemetry
    interrogation: poison_pill.Interrogation
    version: int  #: of the ledger, as it is written
    partitions: int  #: of the event topic

    def loader(self) -> session_store.Memory:
        """Return an empty memory, to restore into."""
        return session_store.Memory(self.version)

    def work(
        self,
        *,
        number: int,
        committer: ports.Committer,
        loader: session_store.Memory,
        position: model.Position,
        end_offset: int,
        recheck_open: bool,
    ) -> processor.Partition:
        """Return the partition's loop over what was restored."""
        return processor.Partition(
            committer=committer,
            sources=self.sources,
            clock=self.clock,
            watch=self.watch,
            limits=self.limits,
            interrogation=self.interrogation,
            number=number,
            sessions=loader,
            position=position,
            end_offset=end_offset,
            decode=functools.partial(event_decoder.taken, partitions=self.partitions),
            recheck_open=recheck_open,
        )
