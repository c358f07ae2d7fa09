"""Name who works with an owned partition: what it needs, and whom it tells."""

from collections.abc import Iterable
from typing import Protocol

from worker import model, ports


class Loader(Protocol):
    """Takes the ledger's records in their order."""

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record; later ones win."""
        ...


class Work(Protocol):
    """One partition's loop, as the transport sees it."""

    @property
    def next_offset(self) -> int:
        """Return the next event this partition takes."""
        ...

    @property
    def has_room(self) -> bool:
        """Return whether more events may be offered."""
        ...

    def offer(self, records: Iterable[ports.Taken]) -> None:
        """Take *records* in, in order."""
        ...

    def pause(self) -> None:
        """Stop taking and starting at once."""
        ...

    def resume(self) -> None:
        """Go on from the own position."""
        ...

    async def run(self) -> None:
        """Work until cancelled; raises errors.TransportError."""
        ...

    async def settle(self) -> None:
        """Wait for the commit in flight."""
        ...

    async def drain(self) -> None:
        """End cleanly: commit all there is."""
        ...

    async def close(self) -> None:
        """Forget everything."""
        ...


class Factory(Protocol):
    """Makes the work of a partition; the composition root knows how."""

    def loader(self) -> Loader:
        """Return an empty memory, to restore into."""
        ...

    def work(
        self,
        *,
        number: int,
        committer: ports.Committer,
        loader: Loader,
        position: model.Position,
        end_offset: int,
        recheck_open: bool,
    ) -> Work:
        """Return the partition's loop over what was restored."""
        ...


class Watch(Protocol):
    """What the transport tells the telemetry."""

    def partition_failed(self, number: int, reason: str, message: str = "") -> None:
        """
        Tell that a partition, or with -1 all of them, is started again.

        *message* is a sentence for people, where there is something they can do.
        """
        ...

    def unreachable(self, message: str) -> None:
        """Tell why no broker answers this member, as often as it is found out."""
        ...

    def restored(self, number: int, records: int, seconds: float) -> None:
        """Tell that a partition is at work."""
        ...

    def gap_accepted(self, number: int, lost_from: int, lost_to: int) -> None:
        """Tell which events are lost to the topic's retention."""
        ...

    def alarmed(self, source: str, kind: model.AlarmKind) -> None:
        """Tell a person."""
        ...
