"""Stand between processes and one broker, and hurt single requests of Kafka's."""

import asyncio
import collections
import contextlib
import dataclasses
import enum
import random

from tests.support import proxy

#: the api key of EndTxn
END_TXN = 26

_HEAD_BYTES = 4
# Requests that change nothing, by their api key: Fetch, ListOffsets, Metadata,
# OffsetFetch, FindCoordinator, Heartbeat, ApiVersions.
_READING = {1, 2, 3, 9, 10, 12, 18}
# Of those that are hurt, so many change nothing: nobody can send them too often.
_READING_SHARE = 0.1
# How long the broker may take to answer what nobody waits for any more.
_LINGER_S = 2.0


class Fate(enum.StrEnum):
    """What becomes of a request that is hurt; its connection is of no more use."""

    #: its client sees a reset; it is delivered later
    HELD_AND_RESET = "requests held, connection reset"
    #: its client waits for its time-out, and goes; it is delivered later
    HELD_IN_SILENCE = "requests held in silence"
    #: it is delivered at once, and its answer never
    UNANSWERED = "answers lost"
    #: it is delivered at once; its client sees a reset before the answer
    RESET_UNANSWERED = "connections reset before the answer"


@dataclasses.dataclass(slots=True, kw_only=True)
class Weather:
    """What requests meet; all times in seconds."""

    chance: random.Random = dataclasses.field(default_factory=random.Random)
    #: of the requests that change something meet a fate; few of the others
    hurt_share: float = 0.0
    fates: tuple[Fate, ...] = tuple(Fate)
    #: the api keys of the only requests that are hurt; None: any
    keys: frozenset[int] | None = None
    #: how long after its client has gone a request that was held arrives
    late_s: tuple[float, float] = (0.1, 2.0)
    #: how long each request takes
    latency_s: float = 0.0

    def fate(self, api_key: int) -> Fate | None:
        """Draw what becomes of one request."""
        if self.keys is not None and api_key not in self.keys:
            return None
        share = self.hurt_share * (_READING_SHARE if api_key in _READING else 1)
        return self.chance.choice(self.fates) if self.chance.random() < share else None


class Wire(proxy.Proxy):
    """A proxy that knows where a request begins and ends, and so can hurt one."""

    def __init__(self, port: int, target: int) -> None:
        super().__init__(port, target)
        self.weather = Weather()
        #: what was done, and how many late requests were delivered
        self.counts: collections.Counter[str] = collections.Counter()

    def clear(self) -> None:
        """Hurt no further request; what is held is delivered all the same."""
        self.weather = Weather(chance=self.weather.chance)

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward in both directions until either side ends, or a request is hurt."""
        forth: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            back, forth = await asyncio.open_connection(self._host, self._target)
            answers = asyncio.create_task(self._pump(back, writer))
            requests = asyncio.create_task(self._requests(reader, forth))
            try:
                await asyncio.wait(
                    {answers, requests}, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                answers.cancel()
                if not requests.done():
                    requests.cancel()
                await asyncio.gather(answers, requests, return_exceptions=True)
            if not requests.cancelled() and (hurt := requests.result()) is not None:
                await self._hurt(hurt, reader, writer, forth)
        except OSError:  # the broker is not there: the client sees a reset
            pass
        finally:
            if forth is not None:
                forth.transport.abort()

    async def _requests(
        self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter
    ) -> "tuple[Fate, bytes] | None":
        """Forward requests; return one that is hurt, None at the end of them."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(_HEAD_BYTES)
                request = head + await reader.readexactly(int.from_bytes(head))
                if latency_s := self.weather.latency_s:
                    await asyncio.sleep(latency_s)
                if self._bytes_per_s is not None:
                    await asyncio.sleep(len(request) / self._bytes_per_s)
                waited = not self._open.is_set()
                await self._open.wait()
                if waited and reader.at_eof():
                    return Fate.HELD_IN_SILENCE, request
                if (fate := self.weather.fate(_api_key(request))) is not None:
                    return fate, request
                forth.write(request)
                await forth.drain()
                self.passed += len(request)
        return None

    async def _hurt(
        self,
        hurt: tuple[Fate, bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        forth: asyncio.StreamWriter,
    ) -> None:
        fate, request = hurt
        self.counts[fate.value] += 1
        late_s = self.weather.chance.uniform(*self.weather.late_s)
        if fate in {Fate.UNANSWERED, Fate.RESET_UNANSWERED}:
            forth.write(request)
        if fate in {Fate.HELD_AND_RESET, Fate.RESET_UNANSWERED}:
            writer.transport.abort()
        else:
            with contextlib.suppress(OSError):
                request += await reader.read(-1)  # until its client goes
        if fate in {Fate.HELD_AND_RESET, Fate.HELD_IN_SILENCE}:
            await asyncio.sleep(late_s)
            forth.write(request)
            self.counts["late requests delivered"] += 1
        await forth.drain()
        await asyncio.sleep(_LINGER_S)


def _api_key(request: bytes) -> int:
    return int.from_bytes(request[_HEAD_BYTES : _HEAD_BYTES + 2])
