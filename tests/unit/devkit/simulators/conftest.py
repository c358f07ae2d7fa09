"""What the tests of begun sessions share: a provider that is played."""

from collections.abc import AsyncIterator

import pytest

from tests.support import provider_harness


@pytest.fixture(name="stage")
async def _stage(name: str) -> AsyncIterator[provider_harness.Stage]:
    stage = provider_harness.Stage(name)
    async with stage.stack:
        await stage.open()
        yield stage
