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

    sources: Mapping[str, source_runtime.SourceRuntime]
    limits: source_runtime.Limits
    clock: clocks.Clock
    observer: telemetry.WorkerTelemetry
    interrogation: poison_pill.PoisonPillRegistry
    version: int  #: of the ledger, as it is written
    partitions: int  #: of the event topic

    def store(self) -> session_store.SessionStore:
        """Return an empty memory, to restore into."""
        return session_store.SessionStore(self.version)

    def processor(
        self,
        *,
        number: int,
        committer: ports.Committer,
        loader: session_store.SessionStore,
        position: model.Position,
        end_offset: int,
        recheck_open: bool,
    ) -> processor.PartitionProcessor:
        """Return the partition's loop over what was restored."""
        return processor.PartitionProcessor(
            committer=committer,
            sources=self.sources,
            clock=self.clock,
            observer=self.observer,
            limits=self.limits,
            interrogation=self.interrogation,
            number=number,
            sessions=loader,
            position=position,
            end_offset=end_offset,
            decode=functools.partial(
                event_decoder.decode_event, partitions=self.partitions
            ),
            recheck_open=recheck_open,
        )
