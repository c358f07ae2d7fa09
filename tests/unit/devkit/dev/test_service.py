"""A process that does not start says why; a callback that is not taken waits."""

import pathlib

import pytest
from aiohttp import web

from worker.devkit import simulators
from worker.devkit.dev import callbacks, ports, service


async def test_what_ends_instead_of_starting_says_why(tmp_path: pathlib.Path) -> None:
    """The last line of its log is in the sentence."""
    made = service.Service(
        "ingress",
        ["ingress", "--config", "/nowhere.toml"],
        admin_port=ports.free(),
        log_path=tmp_path / "ingress.log",
        hidden=["KYC_CONFIG"],
        doomed=None,
    )
    await made.start()
    try:
        with pytest.raises(ports.DevError) as failed:
            await made.ready()
    finally:
        await service.end([made], timeout_s=5)
    text = str(failed.value)
    assert text.startswith("ingress ended instead of starting:\n")
    assert "/nowhere.toml" in text
    assert not await made.alive()


async def test_a_refused_delivery_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 is answered by all callbacks once more, as a provider would."""
    monkeypatch.setattr(callbacks, "_PAUSE_S", 0)
    statuses = iter([200, 503, 200, 401])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=next(statuses))

    app = web.Application()
    app.router.add_post("/webhooks/a", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, ports.HOST, 0)
        await site.start()
        url = f"http://{ports.HOST}:{runner.addresses[0][1]}"
        call = simulators.OutgoingCallback(
            delay_s=0, method="POST", path="/webhooks/a", headers={}, body=b"{}"
        )
        assert await callbacks.deliver([call, call], url) == [200, 401]
    finally:
        await runner.cleanup()


async def test_an_ingress_that_stays_away_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for ever, and nothing is raised."""
    monkeypatch.setattr(callbacks, "_PAUSE_S", 0)
    call = simulators.OutgoingCallback(
        delay_s=0, method="POST", path="/", headers={}, body=b""
    )
    url = f"http://{ports.HOST}:{ports.free()}"
    assert await callbacks.deliver([call], url) == []
