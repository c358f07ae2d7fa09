"""Begin sessions at a rate, and send their callbacks as providers do: until taken."""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import orjson

from tests.chaos import checker
from tests.support import system, system_config
from worker import clock as clocks
from worker import model
from worker.devkit import simulators

_OUTCOMES = (model.Outcome.APPROVED, model.Outcome.APPROVED, model.Outcome.REJECTED)
# A provider gives up after hours; whoever waits here wants to know sooner.
_ATTEMPTS = 90
_BACK_OFF_MAX_S = 2.0
_TIMEOUT = aiohttp.ClientTimeout(total=8)
_TAKEN, _REFUSED, _LATER = 200, 401, 503


def calm(chance: random.Random) -> simulators.Scenario:
    """Return a session whose provider does its part at once."""
    return simulators.Scenario(outcome=chance.choice(_OUTCOMES))


def troubled(chance: random.Random) -> simulators.Scenario:
    """Return a session of which anything may be late, twice, wrong or not there."""
    trouble = chance.random()
    limited = 0.15 <= trouble < 0.2
    return simulators.Scenario(
        outcome=chance.choice(_OUTCOMES),
        latency_s=chance.choice((0.0, 0.0, 0.05, 0.5)),
        repeat=int(chance.random() < 0.2),
        reorder=chance.random() < 0.2,
        callback_delay_s=chance.choice((0.0, 0.2)),
        not_ready=int(trouble < 0.1),
        errors=2 * int(0.1 <= trouble < 0.2),
        error_status=429 if limited else chance.choice((500, 502, 503)),
        retry_after="1" if limited else None,
        pending_first=int(0.2 <= trouble < 0.3),
        unknown_word=0.3 <= trouble < 0.34,
        hang=int(0.34 <= trouble < 0.36),
        denied=0.36 <= trouble < 0.38,
        bad_signature=0.38 <= trouble < 0.4,
    )


@dataclasses.dataclass(slots=True, kw_only=True)
class Traffic:
    """Providers that call back, and what must become of their sessions."""

    running: system.System
    #: of the ingresses, as a balancer knows them
    ports: Sequence[int]
    seed: int
    draw: Callable[[random.Random], simulators.Scenario] = calm
    names: Sequence[str] = system_config.PROVIDERS
    expected: dict[checker.Key, checker.Expected] = dataclasses.field(
        default_factory=dict
    )
    #: callbacks that were answered 2xx, and requests that had to be made again
    taken: int = 0
    retries: int = 0

    @contextlib.asynccontextmanager
    async def flowing(self, rate: float) -> AsyncIterator[None]:
        """Begin *rate* sessions a second meanwhile; at the end all is answered."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(rate, stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def burst(self, count: int) -> None:
        """Begin *count* sessions at once, and return when all is answered."""
        chance = random.Random(self.seed + len(self.expected))
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as client,
            asyncio.TaskGroup() as sending,
        ):
            for _ in range(count):
                sending.create_task(self._session(client, self._drawn(chance)))

    async def _run(self, rate: float, stop: asyncio.Event) -> None:
        chance = random.Random(self.seed)
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as client,
            asyncio.TaskGroup() as sending,
        ):
            while not stop.is_set():
                sending.create_task(self._session(client, self._drawn(chance)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(chance.expovariate(rate)):
                        await stop.wait()

    def _drawn(self, chance: random.Random) -> tuple[checker.Expected, "_Callbacks"]:
        """Begin a session at a provider; return its callbacks in batches."""
        name, scenario = chance.choice(self.names), self.draw(chance)
        simulator = self.running.simulators[name]
        session_id = simulator.add(scenario)
        truth = simulator.truth(session_id)
        expected = checker.Expected(
            outcome=None if truth is None else str(truth.outcome),
            unknown_word=scenario.unknown_word,
            forged=scenario.bad_signature,
            begun_ms=clocks.SystemClock().now_ms(),
        )
        # Their documented identity: a transaction number has no case.
        folded = session_id.lower() if name == "idnow" else session_id
        self.expected[name, folded] = expected
        callbacks = simulator.callbacks(session_id)
        at_once = chance.random() < 0.3
        return expected, [callbacks] if at_once else [[each] for each in callbacks]

    async def _session(
        self,
        client: aiohttp.ClientSession,
        drawn: tuple[checker.Expected, "_Callbacks"],
    ) -> None:
        expected, batches = drawn
        for batch in batches:
            if batch:
                await asyncio.sleep(batch[0].delay_s)
            await asyncio.gather(
                *(
                    self._deliver(client, expected, callback, place)
                    for place, callback in enumerate(batch)
                )
            )

    async def _deliver(
        self,
        client: aiohttp.ClientSession,
        expected: checker.Expected,
        callback: simulators.OutgoingCallback,
        place: int,
    ) -> None:
        """Send *callback* again until it is answered for good."""
        for attempt in range(_ATTEMPTS):
            port = self.ports[(place + attempt) % len(self.ports)]
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with client.request(
                    callback.method,
                    f"http://127.0.0.1:{port}{callback.path}",
                    headers=dict(callback.headers),
                    data=callback.body,
                ) as response:
                    found = await response.read()
                    if self._is_final(expected, response.status, found):
                        return
            self.retries += 1
            await asyncio.sleep(min(0.1 * 2**attempt, _BACK_OFF_MAX_S))
        expected.wrong_answers.append("never")

    def _is_final(self, expected: checker.Expected, status: int, found: bytes) -> bool:
        """Take note of an answer, and return whether a provider leaves it at that."""
        if status == _LATER:
            return False
        if status != (_REFUSED if expected.forged else _TAKEN):
            expected.wrong_answers.append(str(status))
        elif status == _TAKEN:
            self.taken += 1
            answer = orjson.loads(found)
            if answer["status"] == "accepted":
                expected.acknowledged.append(answer["event_id"])
        return True


_Callbacks = list[list[simulators.OutgoingCallback]]
