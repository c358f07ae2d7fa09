"""What becomes of a verified callback, when all goes well and when nothing does."""

import asyncio

import orjson
import pytest

from tests.unit.ingress import conftest, support
from worker import errors, ingress, model
from worker.telemetry import labels

_MESSAGE = b'{"kind":"message","text":"Your code is 6867"}'
_UNMAPPABLE = b'{"session":7,"secret":"a marker","other":1}'
_UNHEARD_OF = b'{"kind":"unheard-of","session":"a"}'
_URL = "https://messages.example.com/kyc"


def _unavailable(reply: support.Reply) -> bool:
    """Return whether *reply* says that the fault is ours, and when to come again."""
    seconds = reply.headers.get("Retry-After", "")
    return reply.status == 503 and seconds.isdigit() and int(seconds) > 0


async def test_kafka_refuses(serve: conftest.Serve) -> None:
    """Without Kafka's acknowledgement the answer is 503, never a 2xx or 4xx."""
    served = await serve()
    served.sink.failure = errors.KafkaUnavailable()

    reply = await served.send()

    assert _unavailable(reply)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert ingress.Result.UNAVAILABLE is served.observer.last.result


async def test_another_failure_of_the_sink(serve: conftest.Serve) -> None:
    """Whatever else the sink raises is our fault, too."""
    served = await serve()
    served.sink.failure = RuntimeError("a marker")

    reply = await served.send()

    assert _unavailable(reply)
    assert "RuntimeError" in (served.observer.last.fault or "")


async def test_too_many_at_once(serve: conftest.Serve) -> None:
    """Beyond the limit a request is 503 at once, and those before it still finish."""
    served = await serve(bounds=ingress.Limits(max_in_flight=1))
    served.sink.gate = asyncio.Event()
    first = asyncio.ensure_future(served.send())
    await served.sink.entered.wait()

    second = await served.send()
    served.sink.gate.set()

    assert _unavailable(second)
    assert ingress.Result.OVERLOADED is served.observer.reports[0].result
    assert (await first).status == 200
    assert (await served.send()).status == 200


async def test_unmappable(serve: conftest.Serve) -> None:
    """What cannot be mapped is 503, a dead letter without values, and an alarm."""
    served = await serve()

    reply = await served.send(body=_UNMAPPABLE)

    [letter] = served.sink.letters
    assert _unavailable(reply)
    assert model.DeadLetterReason.UNMAPPABLE is letter.reason
    assert (letter.source, letter.session_id, letter.redrive) == ("signed", None, None)
    assert (letter.known_keys, letter.other_keys) == (("session",), 2)
    assert letter.first_seen_at == support.NOW_MS
    assert model.Environment.TEST is letter.environment
    assert letter.reason is served.observer.last.dead_letter
    assert "a marker" not in repr(letter)
    assert served.observer.alarms == [("unmappable_callback", "signed")]


async def test_unmappable_at_most_ten_a_minute(serve: conftest.Serve) -> None:
    """A flood writes ten dead letters a minute and source; the alarm goes on."""
    served = await serve(support.source(), support.source("other"))

    for _ in range(12):
        assert _unavailable(await served.send(body=_UNMAPPABLE))
    await served.send("other", _UNMAPPABLE)

    sources = [letter.source for letter in served.sink.letters]
    assert sources == ["signed"] * 10 + ["other"]
    assert len(served.observer.alarms) == 13

    served.clock.at_ms += 60_000
    await served.send(body=_UNMAPPABLE)
    assert len(served.sink.letters) == 12


async def test_unmappable_acknowledged(serve: conftest.Serve) -> None:
    """An unknown type of a signed source is 200, with the dead letter and the alarm."""
    served = await serve()

    reply = await served.send(body=_UNHEARD_OF)

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert len(served.sink.letters) == 1
    assert served.observer.alarms == [("unmappable_callback", "signed")]


async def test_acknowledged_only_with_a_dead_letter(serve: conftest.Serve) -> None:
    """What is answered 2xx is visible somewhere: past ten a minute it is 503."""
    served = await serve()

    statuses = [(await served.send(body=_UNHEARD_OF)).status for _ in range(11)]

    assert statuses == [200] * 10 + [503]
    assert len(served.sink.letters) == 10


@pytest.mark.parametrize("body", [_UNMAPPABLE, _UNHEARD_OF])
async def test_unmappable_without_kafka(serve: conftest.Serve, body: bytes) -> None:
    """Where the dead letter cannot be written either, the answer is 503."""
    served = await serve()
    served.sink.failure = errors.KafkaUnavailable()

    assert _unavailable(await served.send(body=body))


async def test_message_discarded(serve: conftest.Serve) -> None:
    """A source that says so discards one-time messages, answered ``ignored``."""
    served = await serve(support.source(otp_messages="discard"))

    reply = await served.send(body=_MESSAGE)

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert served.observer.alarms == []


async def test_message_forwarded(serve: conftest.Serve) -> None:
    """A delivered message is answered accepted; it becomes no event and no letter."""
    of = support.source(
        forward_messages_to=_URL, body_key_field="key", body_keys=(b"k",)
    )
    served = await serve(of)

    reply = await served.send(body=b'{"kind":"message","key":"k","text":"6867"}')

    assert (reply.status, reply.json["status"]) == (200, "accepted")
    assert served.forwarder.messages == [(_URL, {"kind": "message", "text": "6867"})]
    assert (served.sink.events, served.sink.letters) == ([], [])


async def test_message_undelivered(serve: conftest.Serve) -> None:
    """A message that nobody took is 503 and an alarm."""
    of = support.source(forward_messages_to=_URL)
    served = await serve(of, forwarder=support.Forwarder(delivers=False))

    reply = await served.send(body=_MESSAGE)

    assert _unavailable(reply)
    assert served.observer.alarms == [("message_undelivered", "signed")]


async def test_message_is_never_silently_swallowed(serve: conftest.Serve) -> None:
    """A source that says nothing about messages answers 503, with an alarm."""
    served = await serve()

    reply = await served.send(body=_MESSAGE)

    assert _unavailable(reply)
    assert served.observer.alarms == [("message_undelivered", "signed")]
    assert served.forwarder.messages == []


async def test_report_of_an_accepted_callback(serve: conftest.Serve) -> None:
    """The report tells source, size, times and secret, and only a session's hash."""
    served = await serve()

    await served.send(headers=support.signed(key=support.OLD_KEY))

    report = served.observer.last
    assert (report.status, report.source, report.provider) == (200, "signed", "fake")
    assert len(support.BODY) == report.size_bytes
    assert (ingress.Match(labels.Authenticator.HMAC_BODY, 1),) == report.matches
    assert served.sink.events[0].event_id == report.event_id
    assert report.session is not None
    assert support.SESSION not in repr(report)
    assert report.duration_s >= (report.publish_s or 0) > 0


@pytest.mark.parametrize(
    "body", [b"{}", b'{"event":"ping"}', b'{"event":"ping","a":1}']
)
async def test_an_authentic_ping(serve: conftest.Serve, body: bytes) -> None:
    """It is 200, without a letter and without an alarm; it wakes nothing."""
    served = await serve(support.source(pings=({"event": "ping"},)))

    reply = await served.send(body=body)

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert ingress.Result.PINGED is served.observer.last.result
    assert (served.sink.events, served.sink.letters) == ([], [])
    assert served.observer.alarms == []


async def test_a_ping_has_to_be_authentic(serve: conftest.Serve) -> None:
    """Who knows the address alone gets 401, whatever is in the body."""
    served = await serve(support.source(pings=({"event": "ping"},)))

    assert (await served.send(body=b"{}", headers={})).status == 401


@pytest.mark.parametrize("body", [b'{"event":"pong"}', b'{"event":["ping"]}'])
async def test_no_ping(serve: conftest.Serve, body: bytes) -> None:
    """What is no ping is still a letter and an alarm."""
    served = await serve(support.source(pings=({"event": "ping"},)))

    assert _unavailable(await served.send(body=body))
    assert len(served.sink.letters) == len(served.observer.alarms) == 1


async def test_what_the_table_knows_is_no_ping(serve: conftest.Serve) -> None:
    """A ping's members in a real callback take nothing from it."""
    served = await serve(support.source(pings=({"kind": "done"},)))

    await served.send()

    assert len(served.sink.events) == 1


async def test_a_challenge_is_repeated_to_who_has_signed_it(
    serve: conftest.Serve,
) -> None:
    """The provider learns that the URL is ours; nobody else, and no report, does."""
    served = await serve()
    body = orjson.dumps({"kind": "challenge", "challenge": "a-marker-4f"})

    reply = await served.send(body=body)
    forged = await served.send(body=body, headers=support.signed(key=b"x" * 32))

    assert (reply.status, reply.json) == (200, {"challenge": "a-marker-4f"})
    assert forged.status == 401
    assert served.sink.events == []
    assert "a-marker" not in repr(served.observer.reports)
    assert b"a-marker" not in forged.body
