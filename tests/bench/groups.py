"""List the groups of figures, in the order of the table."""

from collections.abc import Awaitable, Callable, Mapping

from tests.bench import (
    environment,
    figures,
    ingress,
    latency,
    ledger,
    peer,
    start,
    verify,
    worker,
)

Measure = Callable[[environment.Stage], Awaitable[list[figures.Figure]]]

GROUPS: Mapping[str, Measure] = {
    "ingress": ingress.measure,
    "worker": worker.measure,
    "latency": latency.measure,
    "ledger": ledger.measure,
    "start": start.measure,
    "verify": verify.measure,
    "peer": peer.measure,
}
