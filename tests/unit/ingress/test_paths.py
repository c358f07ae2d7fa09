"""Addresses as people and proxies spell them, and providers that ask for one."""

import pytest

from tests.unit.ingress import conftest, support
from worker import ingress


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/signed/",
        "//webhooks/signed",
        "/webhooks//signed",
        f"/webhooks/by_url/{support.token('by_url')}/",
        f"//webhooks//by_url//{support.token('by_url')}//",
    ],
)
async def test_slashes_that_name_nothing(serve: conftest.Serve, path: str) -> None:
    """One at the end, or two where one belongs: the callback is taken."""
    served = await serve()

    reply = await served.send(path, root="")

    assert reply.status == 200
    assert len(served.sink.events) == 1


async def test_slashes_replace_no_token(serve: conftest.Serve) -> None:
    """What is empty is no token, and a token is not cut."""
    served = await serve()
    token = support.token("by_url")

    statuses = [
        (await served.send(f"by_url{rest}", headers={})).status
        for rest in ("/", "//", f"/{token[:8]}/{token[8:]}", f"/{token}/x")
    ]

    assert statuses == [401, 401, 404, 404]
    assert served.sink.events == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("signed", 200),
        (f"by_url/{support.token('by_url')}", 200),
        ("by_url/wrong", 401),
        ("by_url", 401),
        ("unknown", 404),
        # With something in it, it may be a callback: it must not be lost unseen.
        ("signed?session=a", 405),
        (f"by_url/{support.token('by_url')}?session=a", 405),
    ],
)
async def test_a_ping_without_a_body(
    serve: conftest.Serve, method: str, path: str, status: int
) -> None:
    """Providers ask whether an address is there; its head has to pass all the same."""
    served = await serve()

    reply = await served.send(path, None, method=method, headers={})

    assert reply.status == status
    assert (served.sink.events, served.observer.alarms) == ([], [])
    assert (served.observer.last.result is ingress.Result.PINGED) == (status == 200)


async def test_a_get_with_a_body_is_no_ping(serve: conftest.Serve) -> None:
    """It is 405, as before."""
    served = await serve()

    assert (await served.send(method="GET", headers={})).status == 405
