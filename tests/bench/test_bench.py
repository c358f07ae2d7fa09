"""No CPU ratio is a disaster: small runs, held to generous bounds."""

import pathlib
from collections.abc import Sequence

import pytest

from tests.bench import backlog, environment, figures, ingress, tally, verify, worker
from worker import settings

#: a disaster is meant, not a busy machine: ratios of CPU times hardly know one
_SLACK = 2.0
#: Twice what was measured on 2026-11-21, where that misses its goal:
#: docs/performance.md says why.
_DISASTER = {"ingress_cpu": 9.0, "worker_cpu": 10.0}


@pytest.fixture(name="on")
def _on(kafka: str, tmp_path: pathlib.Path) -> environment.Stage:
    """Return a stage on the broker of all tests."""
    return environment.Stage(kafka, tmp_path)


def _missed(found: Sequence[figures.Figure]) -> list[str]:
    """Return the ratios of CPU times that are beyond the slack, for people."""
    bounds = {each.name: _SLACK * each.goal for each in found} | _DISASTER
    return [
        f"{each.what}: {each.compared:.2f}, beyond {bounds[each.name]:g}"
        for each in found
        if each.cpu_ratio and each.compared > bounds[each.name]
    ]


async def test_an_ingress_costs_no_multiple_of_a_bare_handler(
    on: environment.Stage,
) -> None:
    """CPU a callback, in the best of a few short rounds."""
    size = ingress.Size(warm=500, count=1_500, rounds=3, paced_rounds=0)
    assert _missed(await ingress.measure(on, size)) == []


async def test_a_worker_costs_no_multiple_of_a_bare_client(
    on: environment.Stage,
) -> None:
    """CPU a decision and CPU a repeat, in the best of a few short rounds."""
    size = worker.Size(
        warm=300,
        count=2_400,
        rounds=2,
        parts_rounds=0,
        held=120,
        repeats=6_000,
        slow_s=0,
    )
    assert _missed(await worker.measure(on, size)) == []


async def test_verification_costs_little_more_than_its_digest(
    on: environment.Stage,
) -> None:
    """Both authenticators, both sizes."""
    assert _missed(await verify.measure(on, rounds=40)) == []


@pytest.mark.parametrize(
    ("figure", "compared", "met", "nearly"),
    [
        ({"value": 340.0, "floor": 200.0, "goal": 1.7}, 1.7, True, True),
        ({"value": 341.0, "floor": 200.0, "goal": 1.7}, 1.705, False, True),
        ({"value": 700.0, "floor": 200.0, "goal": 1.7}, 3.5, False, False),
        ({"value": 12.1, "goal": 12.0}, 12.1, False, True),
        ({"value": 200.0, "goal": 200.0, "at_least": True}, 200.0, True, True),
        ({"value": 120.0, "goal": 200.0, "at_least": True}, 120.0, False, True),
        ({"value": 90.0, "goal": 200.0, "at_least": True}, 90.0, False, False),
    ],
)
def test_a_figure_is_held_against_its_goal(
    figure: dict[str, float],
    compared: float,
    met: bool,  # noqa: FBT001 -- expected
    nearly: bool,  # noqa: FBT001 -- expected
) -> None:
    """At most the goal, or at least it; and within twice of it."""
    each = figures.Figure(name="x", what="x", unit="", **figure)  # type: ignore[arg-type]

    assert compared == each.compared
    assert met is each.met()
    assert nearly is each.met(_SLACK)


async def test_records_that_do_not_add_up_are_an_error(on: environment.Stage) -> None:
    """One record fewer, one more, and one twice: none of them makes a figure."""
    config = await on.configured()
    await _published(config.kafka, 3)
    counted = await tally.count(config.kafka, "events", 3)

    counted.must_be(3, "events")
    for wrong in (2, 4):
        with pytest.raises(figures.Untrue, match="3 events of 3 keys"):
            counted.must_be(wrong, "events")
    counted.records += 1
    with pytest.raises(figures.Untrue, match="4 events of 3 keys"):
        counted.must_be(4, "events")


async def _published(kafka: settings.Kafka, count: int) -> None:
    async with backlog.publisher(kafka) as publisher:
        events = [backlog.wake(each) for each in backlog.sessions(count)]
        await publisher.publish(publisher.records(events))
