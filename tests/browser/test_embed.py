"""The page of deploy/pages, from a begin to the decision, in a real browser."""

import asyncio
import hashlib
import pathlib
import shutil

import orjson
import pytest
from playwright import async_api

from tests.browser import conftest as kit
from tests.support import api_client, keys, ports, system

pytestmark = pytest.mark.timeout(120)

_EMBEDDED = ("identomat", "biometric", "idbeyond")


async def _decision(
    running: system.System, source: str, session_id: str
) -> dict[str, object]:
    """Return the final decision on a session."""
    async with asyncio.timeout(30):
        while True:
            history = (await running.decisions()).get((source, session_id), [])
            if history and history[-1]["final"]:
                return history[-1]
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("source", _EMBEDDED)
async def test_a_person_finishes_in_an_embedded_widget(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    page: async_api.Page,
    serve_pages: kit.Serve,
    source: str,
) -> None:
    """Begin, embed, press the button, and the page and Kafka hear of it."""
    folder = tmp_path / "pages"
    shutil.copytree(kit.PAGES, folder)
    origin, port = await serve_pages(folder), ports.free()
    public_url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("KYC_INGRESS__PUBLIC_URL", public_url)
    monkeypatch.setenv(
        f"KYC_SOURCES__{source.upper()}__RETURN_ORIGINS", f'["{origin}"]'
    )
    monkeypatch.setenv("KYC_SOURCES__IDBEYOND__PUBLISHABLE_KEY", "pk_test_1234")
    async with (
        system.System(kafka, topic_prefix, tmp_path, partitions=3) as running,
        api_client.serving(running) as (_, caller),
    ):
        ingress, worker = running.start("ingress", port=port), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        await caller.steer(source, ingress_url=public_url)
        answer = await caller.begin(source, mode="embed", return_url=None)
        assert answer.status == 201, answer.document
        (folder / "session.json").write_bytes(orjson.dumps(answer.document))

        await page.goto(f"{origin}/embed.html")
        await page.frame_locator("#widget iframe").get_by_test_id("approve").click()
        state = page.locator("body[data-state]")
        await state.wait_for()
        assert await state.get_attribute("data-state") == "finished"

        statement = await page.locator("#statement").text_content()
        assert statement
        jwks = await page.evaluate(
            "address => fetch(address).then(answer => answer.json())",
            f"{public_url}/.well-known/jwks.json",
        )
        claims = keys.checked(statement, jwks, audience=source, issuer=public_url)
        session_id = answer.document["session_id"]
        digest = hashlib.sha256(f"{source}:{session_id}".encode()).hexdigest()
        assert claims["sub"] == f"{source}:{digest}"
        decision = await _decision(running, source, session_id)
        assert decision["outcome"] == "approved"
        assert decision["reference"] == f"customer-{source}"


async def test_the_page_says_when_there_is_no_session(
    page: async_api.Page, serve_pages: kit.Serve
) -> None:
    """Without session.json beside it, the page tells what to do."""
    origin = await serve_pages(kit.PAGES)
    await page.goto(f"{origin}/embed.html")
    state = page.locator("body[data-state]")
    await state.wait_for()
    assert await state.get_attribute("data-state") == "failed"
    found = await page.locator("#told").text_content()
    assert found is not None
    assert "begin a session first" in found
