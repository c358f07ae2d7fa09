"""Do with a verified callback what its provider's table says, then answer."""

import asyncio
import dataclasses
import uuid

from worker import clock as clocks
from worker import codec, errors, model, ports
from worker.ingress import answers, forward, limits, observe, source
from worker.telemetry import logs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a request ended, and what is told of it beside."""

    result: answers.Result
    cause: errors.AuthCause | None = None
    event_id: str | None = None
    session: str | None = None
    publish_s: float | None = None
    dead_letter: model.DeadLetterReason | None = None
    fault: str | None = None


class Acceptor:
    """Normalises, publishes within the time limit, forwards, dead-letters."""

    def __init__(
        self,
        *,
        sink: ports.EventSink,
        forwarder: forward.Forwarder | None,
        observer: observe.Observer,
        clock: clocks.Clock,
        bounds: limits.Limits,
    ) -> None:
        self._sink = sink
        self._forwarder = forwarder
        self._observer = observer
        self._clock = clock
        self._bounds = bounds
        self._budgets: dict[str, limits.Budget] = {}

    async def accept(
        self, of: source.IngressSource, callback: model.VerifiedCallback
    ) -> Outcome:
        """
        Return how it ended; accepted means that Kafka has acknowledged the event.

        Any exception but those of *sink* that are foreseen passes through.
        """
        try:
            normalised = of.normalise(callback)
        except errors.UnmappableCallback as unmappable:
            return await self._unmappable(of, callback, unmappable)
        match normalised:
            case model.Wake():
                return await self._publish(of, callback, normalised)
            case model.Ignored():
                return Outcome(result=answers.Result.IGNORED)
            case model.Message():
                return await self._message(of, normalised)

    async def _publish(
        self,
        of: source.IngressSource,
        callback: model.VerifiedCallback,
        wake: model.Wake,
    ) -> Outcome:
        """Publish the event; 200 only once Kafka has acknowledged it."""
        event = _event(of, callback, wake)
        now = asyncio.get_running_loop().time
        started = now()
        result = answers.Result.ACCEPTED
        try:
            async with asyncio.timeout(self._bounds.ack_timeout_s):
                await self._sink.publish(event)
        except (errors.KafkaUnavailable, TimeoutError):
            result = answers.Result.UNAVAILABLE
        return Outcome(
            result=result,
            event_id=event.event_id,
            session=logs.session_hash(event.source, event.session_id),
            publish_s=now() - started,
        )

    async def _message(
        self, of: source.IngressSource, message: model.Message
    ) -> Outcome:
        """Discard or deliver a one-time message; never swallow it unasked."""
        if of.forward_messages_to is not None and self._forwarder is not None:
            if await self._forwarder.forward(of.forward_messages_to, message.document):
                return Outcome(result=answers.Result.FORWARDED)
        elif of.messages == "discard":
            return Outcome(result=answers.Result.IGNORED)
        self._observer.alarm(model.AlarmKind.MESSAGE_UNDELIVERED, of.name)
        return Outcome(result=answers.Result.UNDELIVERED)

    async def _unmappable(
        self,
        of: source.IngressSource,
        callback: model.VerifiedCallback,
        unmappable: errors.UnmappableCallback,
    ) -> Outcome:
        """
        Raise the alarm and dead-letter what cannot be mapped, a few times a minute.

        What is acknowledged must be visible somewhere: without a dead letter of its
        own it is 503, and the provider's retry is its second chance.
        """
        self._observer.alarm(model.AlarmKind.UNMAPPABLE_CALLBACK, of.name)
        now_ms = self._clock.now_ms()
        per_minute = self._bounds.unmappable_per_minute
        budget = self._budgets.setdefault(of.name, limits.Budget(per_minute))
        if not budget.spend(now_ms):
            return Outcome(result=answers.Result.UNMAPPABLE)
        letter = _letter(of, callback, unmappable, now_ms)
        if not await self._dead_lettered(letter):
            return Outcome(result=answers.Result.UNMAPPABLE)
        result = answers.Result.UNMAPPABLE
        if unmappable.acknowledge:
            result = answers.Result.ACKNOWLEDGED
        return Outcome(result=result, dead_letter=letter.reason)

    async def _dead_lettered(self, letter: model.DeadLetter) -> bool:
        """Return whether Kafka acknowledged *letter* in time."""
        try:
            async with asyncio.timeout(self._bounds.ack_timeout_s):
                await self._sink.dead_letter(letter)
        except (errors.KafkaUnavailable, TimeoutError):
            return False
        return True


def _event(
    of: source.IngressSource, callback: model.VerifiedCallback, wake: model.Wake
) -> model.Event:
    """Return the event of *wake*; its trace starts here, whatever the caller sent."""
    return model.Event(
        event_id=str(uuid.uuid4()),
        type=model.EventType.CALLBACK_RECEIVED,
        environment=of.environment,
        source=of.name,
        provider=of.provider,
        session_id=wake.session_id,
        provider_session_id=wake.provider_session_id,
        received_at=callback.received_at,
        provider_event=wake.provider_event,
        provider_event_id=wake.provider_event_id,
        provider_time=wake.provider_time,
        reference=wake.reference,
        begin_id=wake.begin_id,
        digest=callback.digest,
        claim=wake.claim,
        traceparent=codec.new_traceparent(),
    )


def _letter(
    of: source.IngressSource,
    callback: model.VerifiedCallback,
    unmappable: errors.UnmappableCallback,
    now_ms: int,
) -> model.DeadLetter:
    """Return the dead letter: names of the provider's own table, and no value."""
    return model.DeadLetter(
        dead_letter_id=str(uuid.uuid4()),
        reason=model.DeadLetterReason.UNMAPPABLE,
        source=of.name,
        session_id=None,
        event_id=None,
        attempts=1,
        first_seen_at=callback.received_at,
        last_error=unmappable.reason,
        at=now_ms,
        known_keys=unmappable.known_keys,
        other_keys=unmappable.other_keys,
        environment=of.environment,
    )
