"""What the acceptance tests share: their marker, time limit, and runs of ``dev``."""

import asyncio
import contextlib
import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance import processes
from tests.support import markers
from worker.devkit.dev import kafka as of_dev

_TIMEOUT_S = 300

Start = Callable[..., processes.Dev]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and give it time unless it asks for its own."""
    markers.on_kafka(items, pathlib.Path(__file__).parent, _TIMEOUT_S)


@pytest.fixture
def dev(kafka: str, tmp_path: pathlib.Path) -> Iterator[Start]:
    """Yield what starts ``dev`` on the suite's broker, and leave nothing behind."""
    with contextlib.ExitStack() as ended:

        def start(*arguments: str, **options: object) -> processes.Dev:
            run = processes.Dev(arguments, tmp_path, kafka=kafka, **options)  # type: ignore[arg-type]  # -- handed through
            ended.callback(_forget_topics, kafka, run)
            ended.callback(run.kill)
            return run

        yield start


def _forget_topics(kafka: str, run: processes.Dev) -> None:
    prefix = run.fact("kafka").rpartition("topics ")[2].removesuffix("*")
    if prefix.startswith("kyc-dev-"):
        asyncio.run(of_dev._delete_topics(kafka, prefix))
