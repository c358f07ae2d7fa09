"""A leaked URL: others go on, registered sessions too, and a purge leaves nothing."""

import pathlib

from tests.scale import leaked


async def test_a_leaked_url_costs_nobody_else_anything(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """All sessions of others are decided, the inventions are bounded and purged."""
    plan = leaked.Plan(
        invented=1_500,
        callbacks=60,
        registered=5,
        per_second=60,
        worker_more="max_unanswered_sessions = 60",
        partitions=6,
    )

    found = await leaked.measure(kafka, topic_prefix, tmp_path, plan)

    assert found.flood["taken"] == plan.invented
    assert len(found.registered) == plan.registered
    # Ten a partition, and those that come while others end.
    assert 0 < found.waiting <= 60
    assert found.left == 0
