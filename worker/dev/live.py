"""Show everything at work until it is asked to end."""

import asyncio
import contextlib

from worker.dev import curl, following, sample, screen, traffic
from worker.dev import stage as staging


class Since:
    """When it all began; times in milliseconds and seconds."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    @property
    def passed_s(self) -> float:
        """Return how long ago that is."""
        return self._loop.time() - self._began_s


async def show(
    stage: staging.Stage, told: screen.Screen, since: Since, *, sample_traffic: bool
) -> None:
    """Tell where everything is, send traffic, show decisions; until cancelled."""
    _introduce(stage, told, since)
    async with contextlib.AsyncExitStack() as stack:
        if sample_traffic and stage.playing:
            task = asyncio.create_task(traffic.trickle(stage))
            stack.push_async_callback(_end, task)
        await _decisions(stage, told, since)


def _introduce(stage: staging.Stage, told: screen.Screen, since: Since) -> None:
    ingress, workers = stage.ingress, stage.workers
    admin = [f"{each.name} {_local(each.admin_port)}" for each in stage.services]
    told.say(f"ready after {since.passed_s:.1f} s")
    told.row("ingress", f"{stage.url}/webhooks/{{source}} (pid {ingress.pid})")
    told.row("api", f"{stage.api_url}/sessions/{{source}} (pid {stage.api.pid})")
    told.row("sources", ", ".join(stage.settings.sources))
    told.row("workers", ", ".join(f"pid {each.pid}" for each in workers))
    told.row("admin", ", ".join(admin))
    servers, prefix = stage.kafka.bootstrap_servers, stage.kafka.topic_prefix
    told.row("kafka", f"{servers}, topics {prefix}.*")
    told.row("config", f"{stage.config_path} (for other commands: --config)")
    told.row("logs", str(ingress.log_path.parent))
    if told.people and sample.SIGNED in stage.playing:
        told.say("a correctly signed callback of id beyond, to send by hand:")
        told.say(curl.line(stage.playing[sample.SIGNED], stage.url))
        told.say("a begin at id beyond, with the key of this run:")
        told.say(curl.begin(stage, sample.SIGNED))
    told.say("decisions, as they fall (Ctrl-C ends everything):")


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def _decisions(stage: staging.Stage, told: screen.Screen, since: Since) -> None:
    """Show each decision that falls from now on."""
    first = True
    found = following.decisions(stage.settings.kafka, since_ms=since.at_ms)
    async with contextlib.aclosing(found):
        async for decision, value in found:
            told.decision(decision, value)
            if first:
                told.say(f"(the first one after {since.passed_s:.1f} s)")
                first = False


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
