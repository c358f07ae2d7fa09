"""The tickets that people carry: ours and in time, or refused with a cause."""

import base64
import dataclasses

import hypothesis
import jwt
import pytest
from hypothesis import strategies as st

from worker import errors
from worker.returns import tickets

_SECRET = b"first-secret-of-thirty-two-bytes"
_OLDER = b"older-secret-of-thirty-two-bytes"
_NOW = 1_800_000_000_000
_TICKET = tickets.Ticket(
    source="identomat", begin_id="b" * 32, expires_at=_NOW + 60_000
)
_KEPT = tickets.TicketSigner([_SECRET])


def _cause(text: str, *, source: str = "identomat", now: int = _NOW) -> str:
    with pytest.raises(errors.InvalidTicket) as refused:
        _KEPT.verify(text, source, now)
    return refused.value.cause


@pytest.mark.parametrize(
    "ticket",
    [
        _TICKET,
        dataclasses.replace(_TICKET, session_id="s1", return_url="https://a.example/b"),
    ],
)
def test_a_ticket_says_what_it_was_made_with(ticket: tickets.Ticket) -> None:
    """What was made is read again, and fits into one segment of a path."""
    text = _KEPT.sign(ticket)
    assert ticket == _KEPT.verify(text, "identomat", _NOW)
    assert set(text) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


def test_secrets_rotate_without_a_gap() -> None:
    """A ticket of the older secret is honoured; new ones are of the first."""
    both = tickets.TicketSigner([_SECRET, _OLDER])
    older = tickets.TicketSigner([_OLDER]).sign(_TICKET)
    assert both.verify(older, "identomat", _NOW) == _TICKET
    assert _KEPT.verify(both.sign(_TICKET), "identomat", _NOW) == _TICKET


def test_a_ticket_ends_when_it_says() -> None:
    """The last millisecond counts, the next does not."""
    text = _KEPT.sign(_TICKET)
    assert _KEPT.verify(text, "identomat", _TICKET.expires_at - 1) == _TICKET
    assert _cause(text, now=_TICKET.expires_at) == errors.TicketCause.EXPIRED


def test_a_ticket_of_another_source_is_refused() -> None:
    """A source's ticket opens no other source."""
    assert (
        _cause(_KEPT.sign(_TICKET), source="idnow") == errors.TicketCause.OTHER_SOURCE
    )


def test_an_altered_ticket_is_refused() -> None:
    """Whoever changes the claims cannot sign them."""
    header, _, signature = _KEPT.sign(_TICKET).split(".")
    claims = b'{"aud":"identomat","exp":9999999999,"bid":"x"}'
    forged = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()
    assert _cause(f"{header}.{forged}.{signature}") == errors.TicketCause.ALTERED


@pytest.mark.parametrize("missing", ["aud", "exp", "bid"])
def test_a_ticket_without_a_claim_is_refused(missing: str) -> None:
    """Even with our own signature nothing is left to a default."""
    claims = {"aud": "identomat", "exp": _NOW // 1000 + 60, "bid": "x"}
    del claims[missing]
    text = jwt.encode(claims, _SECRET, headers={"typ": "kyc-ticket+jwt"})
    assert _cause(text) == errors.TicketCause.MALFORMED


@pytest.mark.parametrize(
    ("claim", "value"), [("exp", "soon"), ("exp", 1e400), ("bid", 5), ("aud", ["a"])]
)
def test_a_claim_of_another_type_is_refused(claim: str, value: object) -> None:
    """A claim of the wrong type is a refusal, no exception of another kind."""
    claims: dict[str, object] = {
        "aud": "identomat",
        "exp": _NOW // 1000 + 60,
        "bid": "x",
        claim: value,
    }
    text = jwt.encode(claims, _SECRET, headers={"typ": "kyc-ticket+jwt"})
    _cause(text)


def test_another_token_of_the_same_secret_is_no_ticket() -> None:
    """The type in the header keeps them apart, and so does the algorithm."""
    claims = {"aud": "identomat", "exp": _NOW // 1000 + 60, "bid": "x"}
    assert _cause(jwt.encode(claims, _SECRET)) == errors.TicketCause.MALFORMED
    unsigned = jwt.encode(
        claims, "", algorithm="none", headers={"typ": "kyc-ticket+jwt"}
    )
    assert _cause(unsigned) == errors.TicketCause.MALFORMED
    longer = jwt.encode(
        claims, _SECRET * 2, algorithm="HS512", headers={"typ": "kyc-ticket+jwt"}
    )
    assert _cause(longer) == errors.TicketCause.MALFORMED


@hypothesis.given(st.text() | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,80}\.[\w-]{0,50}"))
def test_any_text_is_refused(text: str) -> None:
    """Whatever a path holds, there is one kind of error."""
    _cause(text)
