"""Start a headless Chromium, or say in a sentence what is missing."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from playwright import async_api

from tests.support import ports

PAGES = pathlib.Path(__file__).parents[2] / "deploy" / "pages"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if pathlib.Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return where Chromium is."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail(
        "no Chromium is installed: on Debian, `apt-get install chromium`", pytrace=False
    )


@pytest.fixture
async def page(chromium_path: str) -> AsyncIterator[async_api.Page]:
    """Yield an empty page; what it logs as an error fails the test."""
    async with async_api.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=chromium_path,
            # Chromium's sandbox refuses to run as root, as in a container.
            chromium_sandbox=os.geteuid() != 0,
        )
        opened = await browser.new_page()
        failures: list[str] = []
        opened.on("pageerror", lambda error: failures.append(str(error)))
        yield opened
        await browser.close()
        assert failures == []


Serve = Callable[[pathlib.Path], Awaitable[str]]


@pytest.fixture
async def serve_pages() -> AsyncIterator[Serve]:
    """Return what serves a folder at an origin of its own, which it returns."""
    async with contextlib.AsyncExitStack() as stack:

        async def serve(folder: pathlib.Path) -> str:
            app = web.Application()
            app.router.add_static("/", folder)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", port := ports.free())
            await site.start()
            return f"http://127.0.0.1:{port}"

        yield serve
