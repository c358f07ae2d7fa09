"""Measure what the product adds: callback answered to decision readable."""

import asyncio
import pathlib

import orjson

from tests.bench import environment, figures, generator, tally

_RATE = 200.0
_CONNECTIONS = 64
#: until the broker's compiler has finished: before, each transaction costs it 6 ms
_WARM_S = 25.0
_SECONDS = 20.0
#: how long the broker may keep a fetch of the reader's that has nothing to tell
_WAIT_MS = 10


async def measure(
    on: environment.Stage, seconds: float = _SECONDS
) -> list[figures.Figure]:
    """
    Return the added latency of one ingress and one worker, each session matched.

    The provider answers at once; the time of that one call is not taken off.
    """
    async with on.provider() as (_, port):
        config = await on.configured(provider_port=port)
        async with (
            tally.of(config.kafka, "decisions.approved", wait_ms=_WAIT_MS) as decided,
            on.worker(config),
            on.ingress(config) as ingress,
        ):
            warm = await _send(on, ingress.port, _WARM_S, decided, 0)
            answered = await _send(on, ingress.port, seconds, decided, len(warm))
            # One too many is as wrong as one too few.
            await asyncio.sleep(0.5)
            decided.must_be(len(warm) + len(answered), "decisions")
    # A decision may be readable a moment before the generator has read the answer.
    added = [
        max(decided.first[f"biometric:{session_id}".encode()] - at, 0.0) * 1e3
        for session_id, at in answered.items()
    ]
    return _figures(added)


async def _send(
    on: environment.Stage, port: int, seconds: float, decided: tally.Tally, before: int
) -> dict[str, float]:
    """Send callbacks; return when each was answered, once all are decided."""
    count = int(_RATE * seconds)
    written = on.folder / "answered.json"
    plan = generator.Plan(
        port=port,
        path=environment.biometric_path(),
        count=count,
        connections=_CONNECTIONS,
        rate=_RATE,
        provider="biometric",
        answered=str(written),
    )
    async with on.running("tests.bench.generator", plan.argument()) as process:
        await process.line()
        result = await process.result()
    environment.must_be(count, result["accepted"], "acknowledgements")
    await decided.reached(before + count, 60.0)
    return _read(written)


def _read(path: pathlib.Path) -> dict[str, float]:
    found: dict[str, float] = orjson.loads(path.read_bytes())
    return found


def _figures(added_ms: list[float]) -> list[figures.Figure]:
    details: dict[str, object] = {
        "callbacks": len(added_ms),
        "a_second": _RATE,
        "max_ms": max(added_ms),
    }
    return [
        figures.Figure(
            name=f"latency_p{share}",
            what=f"Answered to decision readable, {_RATE:g} a second: p{share}",
            unit="ms",
            value=figures.percentile(added_ms, share / 100),
            goal=goal,
            details=details,
        )
        for share, goal in ((50, 12.0), (99, 40.0))
    ]
