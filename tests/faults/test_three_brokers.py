"""Three brokers that die, freeze and hand their leadership on, under load."""

import pathlib

from tests.support import kafka_timeouts as profiles
from tests.support import partition_leaders, three_brokers
from worker.devkit import broker
from worker.kafka import topics


async def test_leaders_move(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Every partition's leader moves, the coordinators' too, and a broker restarts."""
    async with three_brokers.scene(trio, tmp_path, times) as scene:
        async with scene.load():
            for _ in range(2):
                async with scene.fault("every leader moved"):
                    await partition_leaders.move(trio.bootstrap_servers)
                    await scene.decide_more()
            async with scene.fault("a broker restarted in an orderly way"):
                await trio.nodes[0].stop()
                await scene.decide_more()
            await trio.nodes[0].start()
            await scene.decide_more()
        await scene.check()


async def test_each_broker_is_killed_in_turn(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """The others decide without it, first without the transactions' coordinator."""
    async with three_brokers.scene(trio, tmp_path, times) as scene:
        async with scene.load():
            led = await partition_leaders.layout(trio.bootstrap_servers)
            first = led[partition_leaders.OF_TRANSACTIONS].leader - 1
            for place in range(first, first + three_brokers.NODES):
                node = trio.nodes[place % three_brokers.NODES]
                async with scene.fault(await _named(trio, node)):
                    node.kill()
                    await _start_anyway(scene)
                    await scene.decide_more()
                await three_brokers.heal(trio)
        await scene.check()


async def test_a_broker_freezes(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """The others carry on without the coordinator, and thawed it does no harm."""
    async with three_brokers.scene(trio, tmp_path, times) as scene:
        async with scene.load():
            led = await partition_leaders.layout(trio.bootstrap_servers)
            node = trio.nodes[led[partition_leaders.OF_TRANSACTIONS].leader - 1]
            async with scene.fault("a broker frozen, it led __transaction_state"):
                await scene.freeze(node)
            await scene.decide_more()
        await scene.check()


async def _start_anyway(scene: three_brokers.Scene) -> None:
    """Look at the topics, as each process does at its start, with a broker away."""
    config = scene.running.settings
    for _ in range(5):
        await topics.check(
            config.kafka, session_retention_ms=config.ledger.session_retention
        )


async def _named(trio: broker.Cluster, node: broker.Node) -> str:
    """Return what *node* is besides one of three that lead partitions."""
    led = await partition_leaders.layout(trio.bootstrap_servers)
    roles = {
        partition_leaders.OF_TRANSACTIONS: "coordinator of transactions",
        partition_leaders.OF_GROUPS: "coordinator of the group",
    }
    its = [role for place, role in roles.items() if led[place].leader == node.node_id]
    return f"broker killed, {' and '.join(its) or 'a leader only'}"
