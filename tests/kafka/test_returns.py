"""People who come back: from the provider's page to the company's, over our own."""

import hashlib
import pathlib
import urllib.parse

import aiohttp
import orjson
import yarl

from tests.support import api_client, keys, system
from worker.kafka import reader

_ISSUER = "http://127.0.0.1:8080"


async def _get(
    client: aiohttp.ClientSession, ingress: system.Process, address: str
) -> yarl.URL:
    """Follow *address*, which names the public URL, and return where it leads."""
    parts = urllib.parse.urlsplit(address)
    assert address.startswith(f"{_ISSUER}/return/")
    local = f"http://127.0.0.1:{ingress.port}{parts.path}?{parts.query}"
    async with client.get(local, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
        return yarl.URL(response.headers["Location"])


async def _subject(
    client: aiohttp.ClientSession, ingress: system.Process, onward: yarl.URL
) -> str:
    """Check the statement of *onward* by the published keys; return its subject."""
    url = f"http://127.0.0.1:{ingress.port}/.well-known/jwks.json"
    async with client.get(url) as response:
        jwks = orjson.loads(await response.read())
    claims = keys.checked(
        onward.query["kyc_return"], jwks, audience="identomat", issuer=_ISSUER
    )
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp"}
    subject: str = claims["sub"]
    return subject


def _hashed(session_id: str) -> str:
    """Return the subject as a page makes it of the session id that it was given."""
    key = f"identomat:{session_id}"
    return f"identomat:{hashlib.sha256(key.encode()).hexdigest()}"


async def _returned(running: system.System) -> list[tuple[str, str]]:
    """Return session and begin id of every ``session.returned``."""
    kafka = running.settings.kafka
    found = []
    names = [kafka.topic("events")]
    async for each in reader.follow(kafka, names, reader.ReadRange.UNTIL_END):
        event = orjson.loads(each.record.value or b"{}")
        if event["type"] == "session.returned":
            found.append((event["session_id"], event["begin_id"]))
    return found


async def test_a_person_comes_back_from_the_providers_page(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """The statement names the session that was begun, whatever the browser adds."""
    async with (
        system.System(kafka, topic_prefix, tmp_path, partitions=3) as running,
        api_client.serving(running) as (_, caller),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
    ):
        mine = await caller.begin("identomat")
        other = await caller.begin("identomat")
        session_id = mine.document["session_id"]
        # After the begin: what was begun before a process started, it reads.
        ingress = running.start("ingress")
        await running.ready(ingress)
        pressed = {"does": "approve", "lost": "yes"}
        async with client.post(
            mine.document["url"], data=pressed, allow_redirects=False
        ) as response:
            address = response.headers["Location"]
        assert f"session_token={session_id}" in address

        onward = await _get(client, ingress, address)
        assert onward.with_query(None) == yarl.URL(f"{system.ORIGIN}/back")
        assert await _subject(client, ingress, onward) == _hashed(session_id)

        forged = address.replace(session_id, other.document["session_id"])
        onward = await _get(client, ingress, forged)
        assert await _subject(client, ingress, onward) == _hashed(session_id)

        returned = await _returned(running)
        assert [session_id] * 2 == [session for session, _ in returned]
        assert len({begin_id for _, begin_id in returned}) == 1
        # The token in the provider's query is a bearer.
        for secret in (session_id, onward.query["kyc_return"], address.split("/")[-1]):
            assert secret not in ingress.logged()
        assert "return.accepted" in ingress.logged()
