"""
Measure verification alone, against the one digest that it cannot do without.

    python -m tests.bench.verify ROUNDS

A process of its own: what is measured is ``BodyHmac.verify`` (``hmac_body``) and
``StandardWebhooks.verify`` (``standard_webhooks``), one key, header values as received.
"""

import dataclasses
import hmac
import sys
import time
from collections.abc import Callable

from tests.bench import environment, figures, report
from worker import signing
from worker.providers import idbeyond

_KEY = environment.HMAC_SECRET.encode()
_ID, _AT_S = "msg_2026112112000000000001", 1_795_255_810
#: of CPU time, for one stretch of one of the two
_STRETCH_S = 0.004
_ROUNDS = 200
_SIZES = {"1 KiB": (1 << 10, 1.5), "1 MiB": (1 << 20, 1.05)}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One authenticator over one body, and its floor over the same signed bytes."""

    name: str
    mine: Callable[[], object]
    floor: Callable[[], object]


def _hmac_body(body: bytes) -> Case:
    values = [idbeyond.SIGNATURE.sign(_KEY, body)]
    return Case(
        name="hmac_body",
        mine=lambda: idbeyond.SIGNATURE.verify(
            [_KEY], lambda _: values, body, now_ms=0, tolerance_ms=0
        ),
        floor=lambda: hmac.digest(_KEY, body, "sha256"),
    )


def _standard_webhooks(body: bytes) -> Case:
    headers = {
        "webhook-id": [_ID],
        "webhook-timestamp": [str(_AT_S)],
        "webhook-signature": [signing.sign_standard(_KEY, _ID, _AT_S, body)],
    }
    signed = f"{_ID}.{_AT_S}.".encode() + body
    return Case(
        name="standard_webhooks",
        mine=lambda: signing.STANDARD_WEBHOOKS.verify(
            [_KEY],
            headers.__getitem__,
            body,
            now_ms=_AT_S * 1000,
            tolerance_ms=300_000,
        ),
        floor=lambda: hmac.digest(_KEY, signed, "sha256"),
    )


def compared(case: Case, rounds: int) -> tuple[float, float]:
    """Return the least CPU microseconds of *case* and of its floor, by turns."""
    times = max(1, int(_STRETCH_S / _stretch(case.floor, 1)))
    each = [
        (_stretch(case.floor, times), _stretch(case.mine, times)) for _ in range(rounds)
    ]
    floor, mine = (min(one[place] for one in each) for place in (0, 1))
    return mine / times * 1e6, floor / times * 1e6


def _stretch(do: Callable[[], object], times: int) -> float:
    """Return the CPU seconds that *times* calls take."""
    numbers = range(times)
    begun = time.process_time_ns()
    for _ in numbers:
        do()
    return max(time.process_time_ns() - begun, 1) / 1e9


async def measure(on: environment.Stage, rounds: int = _ROUNDS) -> list[figures.Figure]:
    """Return the figures of both authenticators and of both sizes."""
    text = await on.result("verify", str(rounds))
    return [
        figures.Figure(
            name=f"verify_{name}_{size.replace(' ', '').lower()}",
            what=f"Verification alone, `{name}`, {size}, against hmac.digest",
            unit="µs",
            value=text[f"{name} {size}"],
            floor=text[f"{name} {size} floor"],
            goal=goal,
            cpu_ratio=True,
        )
        for name in ("hmac_body", "standard_webhooks")
        for size, (_, goal) in _SIZES.items()
    ]


def main(rounds: int) -> None:
    """Measure, and tell one JSON line."""
    text: dict[str, float] = {}
    for size, (many, _) in _SIZES.items():
        body = bytes(range(256)) * (many // 256)
        for case in (_hmac_body(body), _standard_webhooks(body)):
            mine, floor = compared(case, rounds)
            text |= {f"{case.name} {size}": mine, f"{case.name} {size} floor": floor}
    report.write(text)


if __name__ == "__main__":
    main(int(sys.argv[1]))
