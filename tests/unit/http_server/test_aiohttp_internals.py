"""What is used of aiohttp and is no part of its API: an upgrade must not lose it."""

import inspect
import pathlib
import re

import pytest
from aiohttp import web

import worker
from worker.http_server import connection

_WORKER = pathlib.Path(worker.__file__).parent


@pytest.mark.parametrize("name", connection.PRIVATE)
def test_aiohttp_still_has_it(name: str) -> None:
    """A slot of its connections, of that name."""
    assert name in web.RequestHandler.__slots__


def test_its_server_still_takes_what_makes_requests() -> None:
    """Through it a connection learns which request is its last."""
    assert "request_factory" in inspect.signature(web.Server).parameters


def test_no_other_name_is_used() -> None:
    """All private names of the base class stand in the list."""
    text = (_WORKER / "http_server" / "connection.py").read_text()
    used = set(re.findall(r"self\.(_[a-z_]+)", text)) & {*web.RequestHandler.__slots__}
    inherited = {"_loop"}  # a name of asyncio's own protocols, too

    assert used - inherited == set(connection.PRIVATE)
