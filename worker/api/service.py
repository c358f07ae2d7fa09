"""
Begin sessions, never twice and never forgotten, and register those begun elsewhere.

The order is what keeps the promise: the intent is on Kafka before the provider is
called, the registration before the caller has its answer. Whatever a process does not
live to do, the recovery of any other finds undone.
"""

import asyncio
import contextlib
import dataclasses

from worker import cancellation, errors, model, ports
from worker import clock as clocks
from worker.api import auth, pending_writes, requests, return_urls, telemetry, types
from worker.telemetry import exceptions

#: before a registration that Kafka did not take is published again
_AGAIN_S = 0.1
_ANOTHER_REQUEST = (
    "was used for another request: repeat that one unchanged, or take a new key"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long things may take, in milliseconds."""

    #: a whole begin; one without an end after it was left by its process
    begin: int
    #: each of Kafka's acknowledgements
    ack: int
    #: how long an Idempotency-Key stands for the same begin
    window: int

    def left_to_call(self, intent: model.Intent, now: int) -> int:
        """Return how long the provider may take, once Kafka has its share."""
        return intent.begun_at + self.begin - 2 * self.ack - now


class Service:
    """Begins and registers; one a process."""

    def __init__(
        self,
        *,
        log: ports.BeginLog,
        sink: ports.EventSink,
        debts: pending_writes.PendingWrites,
        begin_ids: auth.BeginIds,
        given: return_urls.ReturnUrls,
        observer: telemetry.ApiTelemetry,
        clock: clocks.Clock,
        times: Times,
    ) -> None:
        self._log = log
        self._sink = sink
        self._debts = debts
        self._ids = begin_ids
        self._addresses = given
        self._observer = observer
        self._clock = clock
        self._times = times

    async def begin(
        self,
        of: types.ApiSource,
        wanted: requests.Begin,
        idempotency_key: str | None,
        *,
        caller: str,
    ) -> types.BeginResult:
        """
        Begin a session at the provider and register it.

        *caller* is what *idempotency_key* belongs to: the digest of an api key.

        Raises errors.BeginRefused and answered errors.FetchError, after which nothing
        was begun; Repeated; InDoubt; errors.KafkaUnavailable, after which the same may
        be asked again with the same key.
        """
        identity = self._identity(of, wanted, idempotency_key, caller)
        begin_id = identity.begin_id
        request = self._request(of, wanted, begin_id)
        of.beginner.check(request)
        intent = await self._intended(of, wanted, identity)
        begun = await self._call(of, request, intent)
        await self._registered(intent, begun)
        return types.BeginResult(
            begun=begun,
            reference=wanted.reference,
            **self._addresses.customer_urls(of, wanted, begin_id, begun),
        )

    async def register(
        self, of: types.ApiSource, wanted: requests.Registration
    ) -> None:
        """Register a session begun elsewhere; raises errors.KafkaUnavailable."""
        event = requests.registration_event(of, wanted, self._clock.now_ms())
        await self._sink.publish(event)

    def _identity(
        self,
        of: types.ApiSource,
        wanted: requests.Begin,
        idempotency_key: str | None,
        caller: str,
    ) -> auth.Identity:
        """Return the identity of this begin; raises where it is not the first."""
        if idempotency_key is None:
            return self._ids.random()
        known = self._ids.of(of.name, caller, idempotency_key, wanted)
        for identity in known:
            standing = self._log.current(f"{of.name}:{identity.begin_id}")
            if standing is not None and self._check_current(standing):
                raise self._taken(standing, identity)
        for begin_id in self._ids.without_caller(of.name, idempotency_key):
            standing = self._log.current(f"{of.name}:{begin_id}")
            if standing is not None and self._check_current(standing):
                # Nobody knows whose it was: the session is not named.
                raise types.DuplicateBegin(self._repeated(standing).state)
        return known[0]

    def _check_current(self, intent: model.Intent) -> bool:
        """Return whether *intent* keeps its key from being used again."""
        match intent.stage:
            case model.BeginStage.FAILED:
                return False
            case model.BeginStage.INTENDED:
                return True
            case model.BeginStage.REGISTERED:
                return self._clock.now_ms() - intent.begun_at < self._times.window

    def _taken(
        self, intent: model.Intent, identity: auth.Identity
    ) -> types.DuplicateBegin | errors.InvalidBeginRequest:
        """Return what to say of *intent*, which has the key of *identity*."""
        digest = identity.request_digest
        # An older release wrote none: then it is not known whether it was the same.
        if intent.request_digest in (None, digest):
            return self._repeated(intent)
        return errors.InvalidBeginRequest({requests.IDEMPOTENCY_KEY: _ANOTHER_REQUEST})

    def _repeated(self, intent: model.Intent) -> types.DuplicateBegin:
        if intent.session_id is not None:
            return types.DuplicateBegin(types.Repeat.BEGUN, intent.session_id)
        left = self._clock.now_ms() - intent.begun_at >= self._times.begin
        return types.DuplicateBegin(
            types.Repeat.OUTCOME_UNKNOWN if left else types.Repeat.IN_PROGRESS
        )

    def _request(
        self, of: types.ApiSource, wanted: requests.Begin, begin_id: str
    ) -> model.BeginRequest:
        return model.BeginRequest(
            source=of.name,
            begin_id=begin_id,
            reference=wanted.reference,
            mode=wanted.mode,
            return_address=self._addresses.provider_return_url(of, wanted, begin_id),
            webhook_url=of.webhook_url(),
            language=wanted.language,
            provider_params=wanted.provider_params,
        )

    async def _intended(
        self, of: types.ApiSource, wanted: requests.Begin, identity: auth.Identity
    ) -> model.Intent:
        """Write the intent down; raises as ``begin`` where another one was first."""
        intent = model.Intent(
            source=of.name,
            provider=of.provider,
            environment=of.environment,
            begin_id=identity.begin_id,
            attempt_id=model.random_id(),
            reference=wanted.reference,
            begun_at=self._clock.now_ms(),
            request_digest=identity.request_digest,
        )
        try:
            first = await self._log.record_intent(intent)
        except errors.TransportError:
            # Nothing is begun, and it may be written all the same.
            self._debts.never_called(intent)
            raise
        if first.attempt_id == intent.attempt_id:
            return intent
        if not first.open:
            # Ours is the last record of the key now: compaction must not keep it.
            with contextlib.suppress(errors.TransportError):
                await self._log.record_outcome(first)
        raise self._taken(first, identity)

    async def _call(
        self, of: types.ApiSource, request: model.BeginRequest, intent: model.Intent
    ) -> model.StartedSession:
        """Call the provider, once; what began nothing frees the key."""
        left_ms = self._times.left_to_call(intent, self._clock.now_ms())
        if left_ms <= 0:
            await self._note(intent.failed(self._clock.now_ms()))
            raise errors.KafkaUnavailable("no time is left to call the provider")
        now = asyncio.get_running_loop().time
        started = now()
        try:
            with cancellation.contained():
                async with asyncio.timeout(left_ms / 1000):
                    return await of.beginner.begin(request)
        except (errors.InvalidBeginRequest, errors.FetchError) as failure:
            if not _nothing_began(failure):
                raise types.OutcomeUnknown(failure.reason) from None
            await self._note(intent.failed(self._clock.now_ms()))
            if isinstance(failure, errors.ProviderAuthFailed):
                self._observer.alarm(model.AlarmKind.PROVIDER_AUTH_FAILED, of.name)
            raise
        except TimeoutError:
            raise types.OutcomeUnknown(errors.ProviderTimeout.reason) from None
        except Exception as failure:  # noqa: BLE001 -- reported; what it did is not known
            raise types.OutcomeUnknown(
                "failed", exceptions.exception_location(failure)
            ) from None
        finally:
            self._observer.provider_called(of.name, now() - started)

    async def _registered(
        self, intent: model.Intent, begun: model.StartedSession
    ) -> None:
        """Tell the worker of the session, then note the end."""
        end = intent.registered(
            self._clock.now_ms(),
            session_id=begun.session_id,
            provider_session_id=begun.provider_session_id,
            expires_at=begun.expires_at,
        )
        await self._publish_registration(end)
        await self._note(end)

    async def _publish_registration(self, end: model.Intent) -> None:
        """
        Publish the registration.

        Raises errors.KafkaUnavailable where that cannot be done in time: it is done
        later, and the caller learns of the session by asking again.
        """
        event = requests.begin_registered_event(end)
        until = end.begun_at + self._times.begin - self._times.ack
        while True:
            try:
                return await self._sink.publish(event)
            except errors.TransportError:
                if self._clock.now_ms() >= until:
                    self._debts.end(end, event)
                    raise
            await self._clock.sleep(_AGAIN_S)

    async def _note(self, end: model.Intent) -> None:
        """Write down how it ended, now or later."""
        try:
            await self._log.record_outcome(end)
        except errors.TransportError:
            self._debts.end(end)


def _nothing_began(failure: errors.InvalidBeginRequest | errors.FetchError) -> bool:
    """Return whether *failure* says that there is no session of it."""
    if isinstance(failure, errors.FetchError) and not failure.answered:
        return failure.detail == errors.ProviderUnreachable.NOT_CONNECTED
    return True
