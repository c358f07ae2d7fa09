"""What bounds requests and connections: room for bodies, and pings that mean one."""

import pytest

from tests.unit.settings import kit

_BYTES = 1 << 20
_LARGE = "[ingress]\nmax_buffered_bytes = {bound}\n" + kit.SOURCE
_API = "[api]\nmax_body_bytes = {body}\nmax_buffered_bytes = {bound}\n" + kit.SOURCE


def test_the_largest_bodies_have_room(desk: kit.Desk) -> None:
    """Four of the largest fit, and one byte less is refused with a sentence."""
    body = f"max_body_bytes = {_BYTES}"
    loaded = desk.load(_LARGE.format(bound=4 * _BYTES) + body)
    (problem,) = desk.problems(_LARGE.format(bound=4 * _BYTES - 1) + body)

    assert loaded.ingress.max_buffered_bytes == 4 * _BYTES
    assert problem.startswith(
        "ingress.max_buffered_bytes must be at least four times"
        " sources.one.max_body_bytes, or one slow body blocks the next"
    )


def test_the_api_has_room_for_its_own(desk: kit.Desk) -> None:
    """The same for the bodies of the api."""
    loaded = desk.load(_API.format(body=_BYTES, bound=4 * _BYTES))
    (problem,) = desk.problems(_API.format(body=_BYTES, bound=4 * _BYTES - 1))

    assert loaded.api.max_buffered_bytes == 4 * _BYTES
    assert problem.startswith(
        "api.max_buffered_bytes must be at least four times max_body_bytes"
    )


@pytest.mark.parametrize("table", ["ingress", "api"])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"max_buffered_bytes = {_BYTES - 1}", "max_buffered_bytes"),
        (f"max_buffered_bytes = {(16 << 30) + 1}", "max_buffered_bytes"),
        ("max_connections = 15", "max_connections"),
        ("max_connections = 1000001", "max_connections"),
        ('send_timeout = "0s"', "send_timeout"),
    ],
)
def test_bounds_have_bounds(desk: kit.Desk, table: str, line: str, said: str) -> None:
    """None may be so small that nothing is served, or so large that it is none."""
    problems = desk.problems(f"[{table}]\n{line}\n{kit.SOURCE}")

    assert any(each.startswith(f"{table}.{said} ") for each in problems)


@pytest.mark.parametrize("value", ["", "ping", "[]", "{}", '"ping"', "null", '{"a":'])
def test_a_ping_is_an_object_that_says_something(desk: kit.Desk, value: str) -> None:
    """An empty one would make a ping of every body; what is no JSON, none."""
    (problem,) = desk.source_problems(f"ping_bodies = ['{value}']")

    assert problem.startswith(
        "sources.one.ping_bodies must contain JSON objects that are not empty, such as"
    )


def test_pings_can_be_named_and_switched_off(desk: kit.Desk) -> None:
    """A source's own take the place of the usual ones, and an empty list means none."""
    own = desk.load(kit.SOURCE + """ping_bodies = ['{"kind":"test"}']""")
    none = desk.load(kit.SOURCE + "ping_bodies = []")

    assert own.sources["one"].ping_bodies == ('{"kind":"test"}',)
    assert none.sources["one"].ping_bodies == ()
