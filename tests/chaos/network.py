"""Hurt the links to the brokers by a seeded schedule, request by request."""

import asyncio
import collections
import dataclasses
import random
from collections.abc import Sequence

from tests.chaos import actions
from tests.support import wire

_LATE_S = (0.05, 1.0)
# How often only the ends of transactions are hurt: a copy that is late can tear one.
_ENDS_SHARE = 0.5


@dataclasses.dataclass(slots=True, kw_only=True)
class Network:
    """
    The links between all processes and the brokers, one wire for each broker.

    A slow link makes transactions long, so that a request which is held arrives
    within a later one; some requests in a hundred are hurt meanwhile.
    """

    wires: Sequence[wire.Wire]
    #: how long a client waits for an answer before it asks again
    answer_timeout_s: float
    seed: int
    silences: int = 0
    resets: int = 0

    async def run(self, seconds: float) -> None:
        """Hurt until *seconds* are over; on return every wire is only a wire."""
        until = asyncio.get_running_loop().time() + seconds
        chance = random.Random(f"{self.seed} network")
        for number, each in enumerate(self.wires):
            each.weather.chance = random.Random(f"{self.seed} wire {number}")
        acts: dict[actions.Act, int] = {
            self._lose: 8,
            self._silence: 1,
            self._reset: 1,
        }
        await actions.act(acts, chance, until, pause_s=1.5)

    @property
    def counts(self) -> collections.Counter[str]:
        """Return what was done, by its name."""
        found = collections.Counter(
            {"silences of a broker": self.silences, "links reset": self.resets}
        )
        for each in self.wires:
            found.update(each.counts)
        return +found

    async def _lose(self, chance: random.Random) -> None:
        """Hurt single requests on every link, and slow the others down."""
        share = chance.choice((0.02, 0.05, 0.08))
        latency_s = chance.choice((0.01, 0.02, 0.04))
        keys = None
        if chance.random() < _ENDS_SHARE:
            share, keys = 0.3, frozenset({wire.END_TXN})
        for each in self.wires:
            each.weather = wire.Weather(
                chance=each.weather.chance,
                hurt_share=share,
                keys=keys,
                late_s=_LATE_S,
                latency_s=latency_s,
            )
        await asyncio.sleep(chance.uniform(3, 8))
        for each in self.wires:
            each.clear()

    async def _silence(self, chance: random.Random) -> None:
        """Silence one broker for a little longer than its clients wait."""
        hurt = chance.choice(self.wires)
        self.silences += 1
        hurt.black_hole()
        await asyncio.sleep(self.answer_timeout_s + chance.uniform(0.1, 2))
        await hurt.heal()

    async def _reset(self, chance: random.Random) -> None:
        """Reset every connection to one broker."""
        self.resets += 1
        await chance.choice(self.wires).cut()
