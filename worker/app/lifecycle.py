"""Run a service until it is asked to stop: admin port first, then Kafka, then work."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import structlog

from worker import clock as clocks
from worker import errors, http_server, model, settings, telemetry
from worker.app import certificates
from worker.http_server import admin
from worker.kafka import connectivity, topics
from worker.telemetry import event_loop, labels, metrics

_log = structlog.get_logger()

_AGAIN_S = 0.5


class Health:
    """What the probes of the admin port report; both start with no."""

    def __init__(self) -> None:
        self.ready: Callable[[], bool] = lambda: False
        self.live: Callable[[], bool] = lambda: True

    def is_ready(self) -> bool:
        """Return whether this process is ready for traffic."""
        return self.ready()

    def is_live(self) -> bool:
        """Return whether this process makes progress."""
        return self.live()


def tune_gc(*, in_small_steps: bool = False) -> None:
    """
    Look for garbage once in 10,000 objects, and never among what is here for good.

    Call it once all is loaded. By Python's defaults, of 700 and everything, an eighth
    of a busy worker's time went there, and hardly anything was found.

    *in_small_steps* looks at fewer objects at a time, for a process that answers while
    thousands of connections come and go: the middle generation, 110,000 objects large,
    otherwise stops it for a quarter of a second of processor time. The whole is looked
    at as rarely.
    """
    gc.freeze()
    if in_small_steps:
        gc.set_threshold(2_000, 5, 100)
    else:
        gc.set_threshold(10_000)


@contextlib.contextmanager
def shutdown_on_signals() -> Iterator[asyncio.Event]:
    """Yield an event that SIGTERM and SIGINT set; a second one ends the process."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}

    def restore(number: signal.Signals) -> None:
        # Not the default action, which does not exist for process 1.
        if loop.remove_signal_handler(number):
            signal.signal(number, before[number])

    def ask(number: signal.Signals) -> None:
        _log.info("process.stopping", signal=number.name)
        restore(number)
        stop.set()

    for number in numbers:
        loop.add_signal_handler(number, ask, number)
    try:
        yield stop
    finally:
        for number in numbers:
            restore(number)


def count_http(
    counters: metrics.Metrics, service: labels.Service, listener: http_server.Listener
) -> None:
    """Set the gauges of the HTTP service behind *listener*."""
    counters.http_requests_in_flight.set(listener.in_flight, service)
    counters.http_connections.set(listener.connections)
    counters.http_buffered.set(listener.bodies.held_bytes)


@contextlib.asynccontextmanager
async def admin_port(
    host: str,
    port: int,
    health: Health,
    counters: metrics.Metrics,
    *,
    config: settings.Settings,
    clock: clocks.Clock,
) -> AsyncIterator[admin.AdminServer]:
    """Serve the admin port, and measure the process itself, while the body runs."""
    expiries = await asyncio.to_thread(certificates.expiries, config.kafka)
    for certificate, expires_at in expiries.items():
        counters.certificate_expiry.set(expires_at, certificate)
    server = await admin.serve(
        host,
        port,
        ready=health.is_ready,
        live=health.is_live,
        metrics=counters.scrape,
    )
    sampling = asyncio.create_task(event_loop.sample_lag(counters, clock))
    try:
        yield server
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        await server.close()


async def wait_until_topics_valid(
    config: settings.Settings, clock: clocks.Clock, counters: metrics.Metrics
) -> None:
    """
    Wait for Kafka, for as long as it takes, then check the topics.

    Raises errors.TopicMismatch. A missing right is waited for as well: it is often
    given a minute after the process was started.
    """
    throttle = connectivity.once_a_minute(clock)
    while True:
        await connectivity.wait_for_kafka(config.kafka, clock, _log)
        try:
            await topics.check(
                config.kafka, session_retention_ms=config.ledger.session_retention
            )
        except errors.TopicMismatch:
            telemetry.alarm(counters, model.AlarmKind.TOPIC_MISMATCH, "")
            raise
        except errors.KafkaUnauthorised as error:
            if throttle.admits(str(error)):
                _log.warning(
                    "kafka.unauthorised", reason=error.reason, message=str(error)
                )
            await clock.sleep(4 * _AGAIN_S)
        except errors.KafkaUnavailable:
            # One broker has answered, and the one that was asked next is down.
            await clock.sleep(_AGAIN_S)
        else:
            return


async def run_until_stopped(stop: asyncio.Event, doing: Awaitable[object]) -> bool:
    """Wait for *doing*; return False, and give it up, where *stop* comes first."""
    task = asyncio.ensure_future(doing)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False
