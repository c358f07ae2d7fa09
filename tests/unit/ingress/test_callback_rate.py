"""The rate of a source: who is counted, and the answer past it."""

import types

import pytest

from tests.unit.ingress import conftest, support
from tests.unit.settings import kit
from worker import ingress

_RATE = 0.3  # three at once, then one in 3.3 s


async def _statuses(served: support.Served, path: str, count: int) -> list[int]:
    return [(await served.send(path, headers={})).status for _ in range(count)]


async def test_a_flood_through_one_url_is_refused_and_harms_no_other_source(
    serve: conftest.Serve,
) -> None:
    """Past its rate a source gets 503 with Retry-After; the next one gets 200."""
    served = await serve(
        support.url_source("leaked", callback_rate=_RATE), support.url_source("calm")
    )
    leaked, calm = (f"{name}/{support.token(name)}" for name in ("leaked", "calm"))

    assert await _statuses(served, leaked, 5) == [200, 200, 200, 503, 503]
    assert await _statuses(served, calm, 5) == [200] * 5
    refused = await served.send(leaked, headers={})
    assert refused.headers["Retry-After"] == "5"
    assert served.observer.last.result is ingress.Result.RATE_LIMITED
    assert len(served.sink.events) == 8

    served.clock.at_ms += 3_334
    assert await _statuses(served, leaked, 2) == [200, 503]


async def test_who_has_no_secret_uses_up_nothing(serve: conftest.Serve) -> None:
    """Wrong tokens and forged bodies leave the whole rate to the provider."""
    served = await serve(
        support.url_source("by_url", callback_rate=_RATE),
        support.source("signed", callback_rate=_RATE),
    )
    right = f"by_url/{support.token('by_url')}"
    wrong = f"by_url/{support.token('by_url', b'another key of 32 bytes or more.')}"

    assert await _statuses(served, wrong, 9) == [401] * 9
    assert await _statuses(served, right, 4) == [200, 200, 200, 503]

    forged = support.signed(key=b"another key of 32 bytes or more.")
    for _ in range(9):
        assert (await served.send(headers=forged)).status == 401
    found = [(await served.send()).status for _ in range(4)]
    assert found == [200, 200, 200, 503]


@pytest.mark.parametrize(
    ("given", "rate"), [({}, None), ({"callback_rate_limit": "300/m"}, 5.0)]
)
def test_the_rate_is_a_setting(given: dict[str, str], rate: float | None) -> None:
    """Without it a source has no limit."""
    table = {"api_key": "k" * 40, "url_secrets": ["u" * 40], **given}
    settings = kit.Tiny.model_validate({"environment": "test", **table})
    provider = types.SimpleNamespace(normalise=support.normalise)

    built = ingress.IngressSource.from_settings("one", settings, provider)

    assert built.callback_rate == rate
