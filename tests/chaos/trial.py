"""Play one seed: traffic as providers send it, chaos over all of it, then the check."""

import asyncio
import dataclasses
import math
import pathlib
from collections.abc import Mapping

from tests.chaos import checker, network, reading, schedule, traffic
from tests.support import kafka_timeouts, system, three_brokers

# A crowded machine is slow, and no promise is broken while less and less is open.
_SETTLE_S = 90.0
_SETTLE_MAX_S = 600.0
# Time for a zombie to write what it must not.
_QUIET_S = 2.0
_WORKERS, _INGRESSES = 3, 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one seed has shown."""

    seed: int
    seconds: float
    #: answered 2xx, and how often a provider had to try again before
    callbacks: int
    retries: int
    #: ids of events that were acknowledged
    events: int
    sessions: int
    decisions: int
    hurt: Mapping[str, int]
    dead_letters: Mapping[str, int]
    settled_s: float
    violations: list[checker.Violation]
    #: processes that died without being killed
    ended: list[str]

    @property
    def good(self) -> bool:
        """Return whether every promise was kept."""
        return not self.violations and not self.ended


async def play(
    seed: int,
    seconds: float,
    folder: pathlib.Path,
    *,
    rate: float = 12.0,
    without: str | None = None,
) -> Report:
    """
    Play *seed* for *seconds* on three brokers of its own, and check everything.

    *without* is a protection of ``tests.support.without_fixes`` that they lack.
    """
    prefix = f"chaos{seed}"
    module = ["tests.support.without_fixes", without] if without else ["worker"]
    async with (
        three_brokers.cluster(kafka_timeouts.SHORT) as cluster,
        three_brokers.proxies(cluster) as wires,
        system.System(
            cluster.bootstrap_servers,
            prefix,
            folder,
            replicated=True,
            kafka_more=_ASKING_AGAIN,
            sources_more=_IMPATIENT,
        ) as running,
    ):
        chaos = schedule.Chaos(
            running=running,
            cluster=cluster,
            network=network.Network(
                wires=wires,
                answer_timeout_s=running.settings.kafka.answer_timeout / 1000,
                seed=seed,
            ),
            servers=cluster.bootstrap(three_brokers.PROXIED),
            module=module,
            seed=seed,
        )
        chaos.ingresses += [chaos.start("ingress") for _ in range(_INGRESSES)]
        chaos.workers += [chaos.start("worker") for _ in range(_WORKERS)]
        for process in (*chaos.ingresses, *chaos.workers):
            await running.ready(process)
        sent = traffic.Traffic(
            running=running,
            ports=[each.port for each in chaos.ingresses],
            seed=seed,
            draw=traffic.troubled,
        )
        async with sent.flowing(rate):
            await chaos.run(seconds)
        servers = cluster.bootstrap_servers
        found, settled_s = await _settled(servers, prefix, sent)
        return _report(seconds, sent, chaos, found, settled_s)


#: What a source does about failures must fit into the time that a seed has; and
#: sessions that are denied again and again must not use up the minute's budget.
_IMPATIENT = """
fetch_timeout = "2s"
circuit = { failure_threshold = 10, open_for = "300ms" }
not_found = { per_minute = 100000 }
"""

#: A member whose JoinGroup got lost on its way waits for so long, and holds up the
#: whole group when others wait for it in turn.
_ASKING_AGAIN = 'request_timeout = "8s"'


async def _settled(
    servers: str, prefix: str, sent: traffic.Traffic
) -> tuple[reading.Read, float]:
    """
    Return what the topics hold once all is decided and stays so, and when.

    What is still on its way has as long as it gets less, and then some time more.
    """
    loop = asyncio.get_running_loop()
    begun, good_at = loop.time(), None
    fewest, fewer_at = math.inf, begun
    while True:
        at = loop.time()
        # In a thread: this loop carries every byte between the processes.
        found, broken = await asyncio.to_thread(_looked, servers, prefix, sent)
        if broken < fewest:
            fewest, fewer_at = broken, at
        if not broken:
            if good_at is not None:
                return found, good_at - begun
            good_at = at
            await asyncio.sleep(_QUIET_S)
        elif (
            good_at is not None
            or at - fewer_at > _SETTLE_S
            or at - begun > _SETTLE_MAX_S
        ):
            return found, at - begun
        else:
            await asyncio.sleep(1 + 2 * (loop.time() - at))


def _looked(
    servers: str, prefix: str, sent: traffic.Traffic
) -> tuple[reading.Read, int]:
    """Return what the topics hold now, and how many promises that breaks."""
    found = asyncio.run(reading.read(servers, prefix))
    return found, len(checker.violations(found, sent.expected))


def _report(
    seconds: float,
    sent: traffic.Traffic,
    chaos: schedule.Chaos,
    found: reading.Read,
    settled_s: float,
) -> Report:
    return Report(
        seed=sent.seed,
        seconds=seconds,
        callbacks=sent.taken,
        retries=sent.retries,
        events=sum(len(each.acknowledged) for each in sent.expected.values()),
        sessions=len(sent.expected),
        decisions=sum(map(len, found.decisions.values())),
        hurt=dict(chaos.counts),
        dead_letters=dict(found.reasons),
        settled_s=round(settled_s, 1),
        violations=checker.violations(found, sent.expected),
        ended=chaos.ended(),
    )
