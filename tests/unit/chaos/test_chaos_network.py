"""What the chaos does to the network: a schedule that is drawn, done and counted."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

from tests.chaos import actions, network
from tests.support import ports, proxy, wire


@contextlib.asynccontextmanager
async def _wires() -> AsyncIterator[list[wire.Wire]]:
    places = [(ports.free(), ports.free()) for _ in range(3)]
    async with proxy.between(places, wire.Wire) as found:
        yield found


async def test_every_wire_is_only_a_wire_in_the_end() -> None:
    """What was silent speaks, what was slow is quick, and nothing is hurt any more."""
    async with _wires() as wires:
        hurt = network.Network(wires=wires, answer_timeout_s=0.01, seed=1)
        for act in (hurt._lose, hurt._silence, hurt._reset):
            task = asyncio.create_task(act(_Quick()))
            await task

        assert {0.0} == {each.weather.hurt_share for each in wires}
        assert {0.0} == {each.weather.latency_s for each in wires}
        assert all(each._open.is_set() for each in wires)
        assert hurt.counts == {"silences of a broker": 1, "links reset": 1}


async def test_what_the_wires_did_is_counted_with_the_rest() -> None:
    """By its own name, of all wires together."""
    async with _wires() as wires:
        hurt = network.Network(wires=wires, answer_timeout_s=0.01, seed=1)
        for each in wires:
            each.counts[wire.Fate.UNANSWERED] += 2

        assert hurt.counts == {"answers lost": 6}


async def test_one_thing_is_done_at_a_time_until_the_time_is_over() -> None:
    """The last one is ended; a weight of nothing is never drawn."""
    done: list[str] = []

    async def often(_: random.Random) -> None:
        done.append("often")

    async def never(_: random.Random) -> None:
        done.append("never")

    until = asyncio.get_running_loop().time() + 0.05
    await actions.act({often: 1, never: 0}, _Quick(), until, pause_s=0.001)

    assert set(done) == {"often"}


class _Quick(random.Random):
    """Chance that waits no time at all."""

    def uniform(self, _low: float, _high: float) -> float:
        """Return the shortest pause there is."""
        return 0.001
