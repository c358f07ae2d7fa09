"""One ill provider, or three, cost the sessions of the others next to nothing."""

import pathlib

from tests.scale import isolation

#: a busy machine stalls now and then: `make isolation` measures, this finds a disaster
_SLACK_S = 0.25


async def test_three_ill_providers_do_not_slow_the_fourth(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """One hangs, one fails, one limits: the fourth's decisions come as they did."""
    plan = isolation.Plan(pairs=2, callbacks=120, per_second=60)

    found = await isolation.measure(kafka, topic_prefix, tmp_path, plan)

    assert len(found.alone) == len(found.disturbed) == plan.pairs * plan.callbacks
    # They were ill indeed: what they owe was still owed when a block ended.
    assert found.parked > plan.pairs * plan.others
    p99 = isolation.quantile(found.disturbed, 0.99)
    assert p99 < 2 * found.bound + _SLACK_S
