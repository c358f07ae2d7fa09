"""The documented rights of an api: enough to begin and to find out."""

import asyncio
import pathlib
import signal

import orjson

from tests.faults.secured import conftest
from tests.support import api_client, commands, kafka_acls, secured_broker, system


async def test_the_rights_of_an_api_are_enough(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
) -> None:
    """It begins, registers, and looks in the events for what another has left."""
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    become("operator")  # who creates the topics
    async with system.System("secured:1", topic_prefix, tmp_path) as running:
        become("api")
        victim = running.start("api", ends_at=("registered", 1))
        await running.ready(victim)
        async with api_client.Caller(running, victim) as caller:
            begun = asyncio.create_task(caller.begin("identomat", key="a"))
            assert await asyncio.to_thread(victim.popen.wait, 30) == -signal.SIGKILL
            await asyncio.wait([begun])
            assert begun.exception() is not None
        async with api_client.serving(running) as (process, caller):
            answer = await caller.register("idnow", "abcdef", reference="customer-1")
            assert answer.status == 202, answer.document
            async with asyncio.timeout(40):
                again = await caller.begin("identomat", key="a")
                while again.document["state"] != "begun":
                    await asyncio.sleep(0.2)
                    again = await caller.begin("identomat", key="a")
            assert commands.lines(process.logged(), "kafka.unauthorised") == []
            become("operator")
            listed = await commands.output(running.config, "begins")
            assert [orjson.loads(line)["state"] for line in listed.splitlines()] == [
                "registered"
            ]
