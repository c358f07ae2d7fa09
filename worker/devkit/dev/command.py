"""Run ``dev`` from its arguments to its exit code."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from typing import Any

from worker import clock as clocks
from worker import errors, settings
from worker.devkit import broker
from worker.devkit.dev import (
    console,
    curl,
    decision_stream,
    environment,
    ports,
    sample_config,
    scenario_run,
    supervisor,
    table,
    traffic,
)
from worker.devkit.dev import environment as staging


class Stopwatch:
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
    stage: staging.DevEnvironment,
    screen: console.Console,
    since: Stopwatch,
    *,
    sample_traffic: bool,
) -> None:
    """Tell where everything is, send traffic, show decisions; until cancelled."""
    _introduce(stage, screen, since)
    async with contextlib.AsyncExitStack() as stack:
        if sample_traffic and stage.playing:
            task = asyncio.create_task(traffic.run_sample_traffic(stage))
            stack.push_async_callback(_end, task)
        await _decisions(stage, screen, since)


def _introduce(
    stage: staging.DevEnvironment, screen: console.Console, since: Stopwatch
) -> None:
    ingress, workers = stage.ingress, stage.workers
    admin = [f"{each.name} {_local(each.admin_port)}" for each in stage.services]
    screen.say(f"ready after {since.passed_s:.1f} s")
    screen.row("ingress", f"{stage.url}/webhooks/{{source}} (pid {ingress.pid})")
    screen.row("api", f"{stage.api_url}/sessions/{{source}} (pid {stage.api.pid})")
    screen.row("sources", ", ".join(stage.settings.sources))
    screen.row("workers", ", ".join(f"pid {each.pid}" for each in workers))
    screen.row("admin", ", ".join(admin))
    servers, prefix = stage.kafka.bootstrap_servers, stage.kafka.topic_prefix
    screen.row("kafka", f"{servers}, topics {prefix}.*")
    screen.row("config", f"{stage.config_path} (for other commands: --config)")
    screen.row("logs", str(ingress.log_path.parent))
    if screen.people and sample_config.SIGNED in stage.playing:
        screen.say("a correctly signed callback of id beyond, to send by hand:")
        screen.say(curl.line(stage.playing[sample_config.SIGNED], stage.url))
        screen.say("a begin at id beyond, with the key of this run:")
        screen.say(curl.begin(stage, sample_config.SIGNED))
    screen.say("decisions, as they fall (Ctrl-C ends everything):")


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def _decisions(
    stage: staging.DevEnvironment, screen: console.Console, since: Stopwatch
) -> None:
    """Show each decision that falls from now on."""
    first = True
    found = decision_stream.decisions(stage.settings.kafka, since_ms=since.at_ms)
    async with contextlib.aclosing(found):
        async for decision, value in found:
            screen.decision(decision, value)
            if first:
                screen.say(f"(the first one after {since.passed_s:.1f} s)")
                first = False


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


_GOOD, _FAILED, _FORCED = 0, 1, 130
# A signal to a whole process group and make's own come to the same: one wish.
_ONE_WISH_S = 1.0


def run(options: environment.Options) -> int:
    """Return the exit code; raises errors.KycError, whose sentence is the caller's."""
    if options.once and options.config is not None:
        raise errors.ConfigurationError(
            ["--once plays the sample sources: leave --config out."]
        )
    screen = console.Console(settings.process_environment())
    try:
        return asyncio.run(_run(options, screen))
    except (ports.DevError, broker.BrokerError) as error:
        screen.say(str(error))
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        screen.say(f"{where}{error.strerror or type(error).__name__}")
    return _FAILED


async def _run(options: environment.Options, screen: console.Console) -> int:
    """Do it, until it is done or a signal ends it."""
    since = Stopwatch(clocks.SystemClock().now_ms())
    setting = staging.DevEnvironmentBuilder(options, settings.process_environment())
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 -- a coroutine runs in a task
    with _interrupted(task, setting, screen) as interrupt:
        try:
            async with setting.up(screen) as stage:
                return await _first(
                    _once(stage, screen, since)
                    if options.once
                    else _live(stage, screen, since, sample_traffic=options.traffic),
                    supervisor.supervise(stage, screen),
                )
        except asyncio.CancelledError:
            if not interrupt.is_set():
                raise
            return _FAILED if options.once else _GOOD


async def _live(
    stage: staging.DevEnvironment,
    screen: console.Console,
    since: Stopwatch,
    *,
    sample_traffic: bool,
) -> int:
    await show(stage, screen, since, sample_traffic=sample_traffic)
    return _GOOD


async def _once(
    stage: staging.DevEnvironment, screen: console.Console, since: Stopwatch
) -> int:
    ready_s = since.passed_s
    played = await scenario_run.run_scenarios(stage)
    failed = table.show(played, screen)
    decided = [each.decided_at for one in played for each in one.decisions]
    first = f"{(min(decided) - since.at_ms) / 1000:.1f} s" if decided else "never"
    screen.say(
        f"{len(played) - failed} of {len(played)} as expected;"
        f" ready after {ready_s:.1f} s, first decision after {first},"
        f" all in {since.passed_s:.1f} s"
    )
    return _FAILED if failed else _GOOD


async def _first(
    doing: Coroutine[Any, Any, int], beside: Coroutine[Any, Any, None]
) -> int:
    """Return what *doing* returns; what *beside* raises ends it, too."""
    first = asyncio.create_task(doing)
    tasks: list[asyncio.Task[Any]] = [first, asyncio.create_task(beside)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in reversed(tasks):
            if task.done():
                task.result()
        return await first
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _interrupted(
    task: asyncio.Task[int],
    setting: staging.DevEnvironmentBuilder,
    screen: console.Console,
) -> Iterator[asyncio.Event]:
    """Cancel *task* at SIGINT and SIGTERM, once; the next one ends all by force."""
    loop = asyncio.get_running_loop()
    asked_at: list[float] = []
    interrupt = asyncio.Event()

    def ask() -> None:
        asked_at.append(loop.time())
        if len(asked_at) == 1:
            screen.say("ending …")
            interrupt.set()
            task.cancel()
        elif asked_at[-1] - asked_at[0] > _ONE_WISH_S:
            setting.abandon()
            os._exit(_FORCED)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    try:
        yield interrupt
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            if interrupt.is_set():
                # What is ending already is not ended by force for wanting it twice.
                signal.signal(number, signal.SIG_IGN)


def _forget_stdout() -> None:
    """Let nothing be written at the end to a reader that has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
