"""What the tests of the api share: an api over real HTTP, and Kafka in memory."""

import dataclasses
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import aiohttp

from tests.support import clock
from worker import api, errors, http_server, model, settings
from worker import clock as clocks
from worker.kafka import begin_index
from worker.returns import tickets
from worker.telemetry import labels, log_throttle, metrics

KEY = "kyc_a-key-of-the-tests"
OTHER_KEY = "kyc_another-key"
SECRETS = (b"t" * 32, b"u" * 32)
TICKETS = tickets.TicketSigner(SECRETS)
ORIGIN = "https://www.example.com"
BACK = f"{ORIGIN}/back"
PUBLIC_URL = "https://kyc.example.com"
TIMES = api.Times(begin=30_000, ack=5_000, window=86_400_000)
GOOD = {"reference": "customer-1", "return_url": BACK}


class SessionStarter:
    """A provider that begins whatever it is asked, or fails as it is told."""

    def __init__(self, *, foretells: bool = False) -> None:
        self.asked: list[model.BeginRequest] = []
        self.fails: list[BaseException | None] = []
        self.foretells = foretells
        self.wrong: dict[str, str] = {}

    def check(self, request: model.BeginRequest) -> None:  # noqa: ARG002 -- the port's
        """Refuse what the test calls wrong."""
        if self.wrong:
            raise errors.InvalidBeginRequest(self.wrong)

    def predict_session_id(self, begin_id: str) -> str | None:
        """Return a number made of the begin id, where it is ours."""
        return f"N-{begin_id}" if self.foretells else None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Begin a session, or fail."""
        self.asked.append(request)
        failure = self.fails.pop(0) if self.fails else None
        if failure is not None:
            raise failure
        number = self.predict_session_id(request.begin_id) or f"S{len(self.asked)}"
        return model.StartedSession(
            session_id=number.lower(),
            provider_session_id=number,
            url="https://provider.example/open?token=credential",
            expires_at=1_795_255_900_000,
            details={"technologies": ["1", "2"]},
            warnings=("a warning",),
        )

    async def close(self) -> None:
        """Close nothing."""


class Kafka:
    """The topics of begins and events, in memory; *down* refuses so many writes."""

    def __init__(self, now: clock.ManualClock) -> None:
        self._clock = now
        self.view = begin_index.BeginIndex(window_ms=TIMES.window)
        self.ends: list[model.Intent] = []
        self.events: list[model.Event] = []
        self.forgotten: list[model.Intent] = []
        self.before: dict[str, model.Intent] = {}
        self.tidied = 0
        self.down = 0
        self.searched: list[int] = []

    def current(self, key: str) -> model.Intent | None:
        """Return what stands of *key*."""
        held = self.view.get(key)
        return None if held is None else held.intent

    def list_open(self) -> list[model.Intent]:
        """Return the intents without an end."""
        return list(self.view.open())

    async def record_intent(self, intent: model.Intent) -> model.Intent:
        """Take *intent*, after the one that a test put before it."""
        self._reach()
        rival = self.before.pop(intent.source, None)
        if rival is not None:
            rival = dataclasses.replace(rival, begin_id=intent.begin_id)
            self._take(rival)
        self._take(intent)
        standing = self.current(intent.key)
        assert standing is not None
        return standing

    async def record_outcome(self, intent: model.Intent) -> None:
        """Take the end of *intent*."""
        self._reach()
        self.ends.append(intent)
        self._take(intent)

    async def refresh_retention(self) -> None:
        """Count."""
        self.tidied += 1

    async def delete(self, intent: model.Intent) -> None:
        """Forget *intent*."""
        self._reach()
        self.forgotten.append(intent)
        self.view.forget(intent.key)

    async def publish(self, event: model.Event) -> None:
        """Take an event."""
        self._reach()
        self.events.append(event)

    async def dead_letter(self, letter: model.DeadLetter) -> None:
        """Take none: the api has no dead letters."""
        raise AssertionError(letter)

    async def find_begin_events(
        self, keys: Collection[str], since: int
    ) -> Mapping[str, model.Event]:
        """Return the events that hold a begin id."""
        self.searched.append(since)
        return {
            key: event
            for event in self.events
            if event.received_at >= since
            and (key := f"{event.source}:{event.begin_id}") in keys
        }

    def write(self, intent: model.Intent) -> None:
        """Let *intent* be written by another process."""
        self._take(intent)

    def _take(self, intent: model.Intent) -> None:
        self.view.take(intent.key, intent, self._clock.now_ms())

    def _reach(self) -> None:
        if self.down:
            self.down -= 1
            raise errors.KafkaUnavailable("no acknowledgement in time")


class Telemetry(api.ApiTelemetry):
    """Records the reports."""

    def __init__(self) -> None:
        super().__init__(
            metrics.Metrics([]), log_throttle.LogThrottle(clocks.SystemClock())
        )
        self.reports: list[api.Report] = []
        self.recovered_: list[tuple[str, str]] = []
        self.left_: list[str] = []
        self.faults: list[tuple[str, str]] = []
        self.alarms: list[tuple[model.AlarmKind, str]] = []
        self.closings: list[http_server.CloseReason] = []
        self.calls = 0

    def request_finished(self, report: api.Report) -> None:
        """Keep a report."""
        self.reports.append(report)

    def provider_called(self, source: str, seconds: float) -> None:  # noqa: ARG002 -- the port's
        """Count a call."""
        self.calls += 1

    def recovered(self, source: str, session: str) -> None:
        """Keep a recovery."""
        self.recovered_.append((source, session))

    def recovery_failed(self, source: str, fault: str) -> None:
        """Keep what failed."""
        self.faults.append((source, fault))

    def begin_expired(self, source: str) -> None:
        """Keep what was left."""
        self.left_.append(source)

    def closed(self, why: http_server.CloseReason) -> None:
        """Keep why a connection was closed."""
        self.closings.append(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Keep an alarm."""
        self.alarms.append((kind, source))

    @property
    def results(self) -> list[labels.ApiResult]:
        """Return how the requests ended."""
        return [each.result for each in self.reports]


def source(name: str, beginner: SessionStarter) -> api.ApiSource:
    """Return a source whose session ids are letters and digits, of any case."""

    def canonical(spelling: object) -> str | None:
        if isinstance(spelling, str) and re.fullmatch(r"[A-Za-z0-9-]+", spelling):
            return spelling.lower()
        return None

    return api.ApiSource(
        name=name,
        provider="identomat",
        environment=model.Environment.TEST,
        beginner=beginner,
        canonical=canonical,
        reference=re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,64}"),
        origins=frozenset({ORIGIN}),
        webhook_url=lambda: f"{PUBLIC_URL}/webhooks/{name}/token",
        session_ms=3_600_000,
    )


@dataclasses.dataclass(slots=True)
class Desk:
    """An api that is served, and everything around it."""

    clock: clock.ManualClock
    kafka: Kafka
    observer: Telemetry
    beginner: SessionStarter
    sources: dict[str, api.ApiSource]
    service: api.Service
    recovery: api.Recovery
    debts: api.PendingWrites
    client: aiohttp.ClientSession
    url: str

    async def begin(
        self, members: object = None, *, source: str = "one", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Ask for a begin; return status and document."""
        document = GOOD if members is None else members
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send("POST", f"/sessions/{source}", document, sent)

    async def send(
        self,
        method: str,
        path: str,
        document: object,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Send *document* with the good key; return status and document."""
        sent = {"Authorization": f"Bearer {KEY}", **(headers or {})}
        async with self.client.request(
            method, self.url + path, json=document, headers=sent
        ) as response:
            assert response.headers["Cache-Control"] == "no-store"
            kind = response.headers["Content-Type"]
            good = "application/json" if response.ok else "application/problem+json"
            assert kind == good
            body: dict[str, Any] = await response.json(content_type=None)
            return response.status, body


def digest(key: str) -> str:
    """Return what the configuration holds of *key*."""
    return hashlib.sha256(key.encode()).hexdigest()


def identities(secrets: Sequence[bytes]) -> list[api.Identity]:
    """Return what ``GOOD`` with the Idempotency-Key ``key-1`` is known by."""
    wanted = api.Begin(reference="customer-1", return_url=BACK)
    return api.BeginIds(secrets).of("one", digest(KEY), "key-1", wanted)


def keys() -> api.Keys:
    """Return a key for the sources ``one`` and ``ours``, and another one for all."""
    return api.Keys(
        (
            settings.ApiKey(sha256=digest(OTHER_KEY), sources="all"),
            settings.ApiKey(sha256=digest(KEY), sources=("one", "ours")),
        )
    )
