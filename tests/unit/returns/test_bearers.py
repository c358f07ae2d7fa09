"""A session id opens a session at its provider: no address and no log holds one."""

import base64
import io
import logging
import re
import urllib.parse

import jwt
import prometheus_client
import pytest

from tests.support import clock
from tests.unit.api import kit as api_kit
from tests.unit.returns import conftest as kit
from worker import api, errors, model
from worker.returns import telemetry, tickets, tokens
from worker.telemetry import log_throttle, logs, metrics

_NOW = 1_800_000_000_000


def _readable(text: str) -> str:
    """Return *text* and all that anybody can decode of it, twice over."""
    found = [text, urllib.parse.unquote(text)]
    for _ in range(2):
        for part in re.findall(r"[A-Za-z0-9_-]{8,}", "\n".join(found)):
            whole = part[: len(part) // 4 * 4]
            found.append(base64.urlsafe_b64decode(whole).decode("latin-1"))
    return "\n".join(found)


def _ticket(session_id: str | None = kit.SESSION) -> tickets.Ticket:
    return tickets.Ticket(
        source="identomat",
        begin_id=kit.BEGIN_ID,
        expires_at=_NOW + 60_000,
        session_id=session_id,
    )


def _is_in(session_id: str, text: str) -> bool:
    readable = _readable(text)
    return session_id in readable or session_id.encode().hex() in readable


def test_what_is_planted_would_be_found() -> None:
    """The search reads what an older release wrote into a ticket."""
    older = jwt.encode({"sid": kit.SESSION}, b"s" * 32)
    assert _is_in(kit.SESSION, f"https://kyc.example.com/return/x/{older}")


@pytest.mark.parametrize("mode", list(model.BeginMode))
def test_no_address_of_a_begin_holds_the_session(mode: model.BeginMode) -> None:
    """Whatever the provider: what is put into a page or a console opens nothing."""
    addresses = api.ReturnUrls(
        api_kit.TICKETS,
        public_url=api_kit.PUBLIC_URL,
        ttl_ms=60_000,
        clock=clock.ManualClock(),
    )
    source = api_kit.source("one", api_kit.SessionStarter())
    wanted = api.Begin(reference="customer-1", mode=mode, return_url=api_kit.BACK)
    begun = model.StartedSession(
        session_id=kit.SESSION, provider_session_id=kit.SESSION
    )
    given = addresses.customer_urls(source, wanted, kit.BEGIN_ID, begun)
    [address] = [text for text in given.values() if isinstance(text, str)]
    assert not _is_in(kit.SESSION, address)
    ticket = api_kit.TICKETS.verify(address.rsplit("/", 1)[1], "one", 0)
    assert ticket.session_id == kit.SESSION


def test_two_tickets_of_a_session_have_nothing_in_common() -> None:
    """Who sees two tickets does not learn that they are of one session."""
    made = {_claims(kit.TICKETS.sign(_ticket()))["esid"] for _ in range(2)}
    assert len(made) == 2


def test_a_ticket_of_the_release_before_is_honoured() -> None:
    """A person who left before an upgrade comes back after it."""
    secret = b"a secret for tickets of 32 bytes."
    claims = {"aud": "identomat", "exp": _NOW // 1000 + 60, "bid": kit.BEGIN_ID}
    older = jwt.encode(
        claims | {"sid": kit.SESSION}, secret, headers={"typ": "kyc-ticket+jwt"}
    )
    assert kit.TICKETS.verify(older, "identomat", _NOW) == _ticket()


@pytest.mark.parametrize("sealed", ["", "AAAA", "no base64 at all", "é", "A" * 80])
def test_a_session_that_cannot_be_decrypted_is_refused(sealed: str) -> None:
    """Even with our signature: nothing but a refusal comes of it."""
    with pytest.raises(errors.InvalidTicket) as refused:
        kit.TICKETS.verify(_signed(esid=sealed), "identomat", _NOW)
    assert refused.value.cause == errors.TicketCause.MALFORMED


def test_an_encrypted_session_belongs_to_its_begin() -> None:
    """What was encrypted for one begin is worth nothing in another one's ticket."""
    sealed = _claims(kit.TICKETS.sign(_ticket()))["esid"]
    assert kit.TICKETS.verify(_signed(esid=sealed), "identomat", _NOW) == _ticket()
    with pytest.raises(errors.InvalidTicket):
        kit.TICKETS.verify(_signed(esid=sealed, bid="another"), "identomat", _NOW)


async def test_nothing_of_a_return_holds_the_session(serve: kit.Serve) -> None:
    """No header, no body, no statement and no log line, whatever the browser adds."""
    served, stream = await serve(), io.StringIO()
    logs.configure(console=False, stream=stream)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    counters = metrics.Metrics({"identomat"})
    lines = log_throttle.LogThrottle(clock.ManualClock())
    observer = telemetry.ReturnTelemetry(counters, lines)
    served.observer.request_finished = observer.request_finished  # type: ignore[method-assign]  # -- the real log
    served.begins.known["identomat", kit.BEGIN_ID] = kit.SESSION
    query = f"?session_token={kit.SESSION}"
    for ticket in (served.ticket(), served.ticket(session_id=kit.SESSION)):
        for path in (f"/return/identomat/{ticket}", f"/return/other/{ticket}"):
            answer, text = await served.get(path + query)
            assert not _is_in(kit.SESSION, f"{dict(answer.headers)} {text}")
        answer, text = await served.finish(f"/finished/identomat/{ticket}{query}")
        assert not _is_in(kit.SESSION, f"{dict(answer.headers)} {text}")
    assert len(served.sink.events) == 4
    result = (
        stream.getvalue()
        + prometheus_client.generate_latest(counters.scrape()).decode()
    )
    assert "return.accepted" in result
    assert not _is_in(kit.SESSION, result)


def test_a_statement_is_matched_by_the_key_of_the_decisions() -> None:
    """The log's short hash is the beginning of the same one."""
    key = model.SessionKey("identomat", kit.SESSION)
    assert tokens.subject(key) == kit.SUBJECT
    short = logs.session_hash(*key)
    assert tokens.subject(key).startswith(f"identomat:{short}")


def _claims(text: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(text, options={"verify_signature": False})
    return claims


def _signed(**claims: object) -> str:
    """Return a ticket with our signature, whatever it says."""
    given = {"aud": "identomat", "exp": _NOW // 1000 + 60, "bid": kit.BEGIN_ID}
    secret = b"a secret for tickets of 32 bytes."
    return jwt.encode(given | claims, secret, headers={"typ": "kyc-ticket+jwt"})
