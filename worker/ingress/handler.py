"""Do with a verified callback what its provider's table says, then answer."""

import asyncio

from worker import clock as clocks
from worker import codec, errors, model, ports, rate_limiter
from worker.ingress import forward, limits, responses, source, telemetry
from worker.telemetry import logs


class CallbackHandler:
    """Normalises, publishes within the time limit, forwards, dead-letters."""

    def __init__(
        self,
        *,
        sink: ports.EventSink,
        forwarder: forward.Forwarder | None,
        observer: telemetry.IngressTelemetry,
        clock: clocks.Clock,
        bounds: limits.Limits,
    ) -> None:
        self._sink = sink
        self._forwarder = forwarder
        self._observer = observer
        self._clock = clock
        self._unmappable_limiter = rate_limiter.RateLimiter(
            bounds.unmappable_per_minute
        )

    async def accept(
        self,
        of: source.IngressSource,
        callback: model.VerifiedCallback,
        report: telemetry.Report,
    ) -> responses.Result:
        """
        Return how it ended; accepted means that Kafka has acknowledged the event.

        Other facts for the log go into *report*. Any exception but those of *sink*
        that are foreseen passes through.
        """
        try:
            normalised = of.normalise(callback)
        except errors.UnmappableCallback as unmappable:
            if of.is_ping(callback.document):
                return responses.Result.PINGED
            return await self._unmappable(of, callback, unmappable, report)
        match normalised:
            case model.WakeUp():
                return await self._publish(of, callback, normalised, report)
            case model.IgnoredCallback():
                report.challenge = normalised.challenge
                return responses.Result.IGNORED
            case model.ForwardedMessage():
                return await self._message(of, normalised)

    async def _publish(
        self,
        of: source.IngressSource,
        callback: model.VerifiedCallback,
        wake: model.WakeUp,
        report: telemetry.Report,
    ) -> responses.Result:
        """Publish the event; 200 only once Kafka has acknowledged it."""
        event = build_event(of, callback, wake)
        report.event_id = event.event_id
        report.session = logs.session_hash(event.source, event.session_id)
        now = asyncio.get_running_loop().time
        started = now()
        try:
            await self._sink.publish(event)
        except errors.KafkaUnavailable:
            return responses.Result.UNAVAILABLE
        finally:
            report.publish_s = now() - started
        return responses.Result.ACCEPTED

    async def _message(
        self, of: source.IngressSource, message: model.ForwardedMessage
    ) -> responses.Result:
        """Discard or deliver a one-time message; never swallow it unasked."""
        if of.forward_messages_to is not None and self._forwarder is not None:
            if await self._forwarder.forward(of.forward_messages_to, message.document):
                return responses.Result.FORWARDED
        elif of.otp_messages == "discard":
            return responses.Result.IGNORED
        self._observer.alarm(model.AlarmKind.MESSAGE_UNDELIVERED, of.name)
        return responses.Result.UNDELIVERED

    async def _unmappable(
        self,
        of: source.IngressSource,
        callback: model.VerifiedCallback,
        unmappable: errors.UnmappableCallback,
        report: telemetry.Report,
    ) -> responses.Result:
        """
        Raise the alarm and dead-letter what cannot be mapped, a few times a minute.

        What is acknowledged must be visible somewhere: without a dead letter of its
        own it is 503, and the provider's retry is its second chance.
        """
        self._observer.alarm(model.AlarmKind.UNMAPPABLE_CALLBACK, of.name)
        now_ms = self._clock.now_ms()
        if not self._unmappable_limiter.try_acquire(now_ms, of.name):
            return responses.Result.UNMAPPABLE
        letter = _letter(of, callback, unmappable, now_ms)
        if not await self._dead_lettered(letter):
            return responses.Result.UNMAPPABLE
        report.dead_letter = letter.reason
        if unmappable.acknowledge:
            return responses.Result.ACKNOWLEDGED
        return responses.Result.UNMAPPABLE

    async def _dead_lettered(self, letter: model.DeadLetter) -> bool:
        """Return whether Kafka acknowledged *letter* in time."""
        try:
            await self._sink.dead_letter(letter)
        except errors.KafkaUnavailable:
            return False
        return True


def build_event(
    of: source.IngressSource, callback: model.VerifiedCallback, wake: model.WakeUp
) -> model.Event:
    """Return the event of *wake*; its trace starts here, whatever the caller sent."""
    return model.Event(
        event_id=model.random_id(),
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
        dead_letter_id=model.random_id(),
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
