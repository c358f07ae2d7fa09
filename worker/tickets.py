"""
Make and read the tickets that people carry to a provider and back.

A ticket is all that a return is believed by: the address it is part of is given to
the provider before there is a session id. It is a JWT signed with our own secret
(HS256), opaque to everybody else.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jwt

from worker import errors

_ALGORITHM = "HS256"
#: keeps any other JWT of ours, or of the company, from being taken for a ticket
_TYPE = "kyc-ticket+jwt"
_LENGTH_MAX = 4096
_REQUIRED = ("aud", "exp", "bid")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a return proves: who was sent away, from which source; times in ms."""

    source: str
    begin_id: str
    expires_at: int
    #: known only where the ticket was made after the session
    session_id: str | None = None
    #: the company's page that the person goes on to
    return_url: str | None = None


class Tickets:
    """Makes tickets with the first of *secrets*, honours those of all of them."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def make(self, ticket: Ticket) -> str:
        """Return *ticket* as text that fits into a path; exact to the second."""
        claims = {
            "aud": ticket.source,
            "exp": -(-ticket.expires_at // 1000),
            "bid": ticket.begin_id,
            "sid": ticket.session_id,
            "url": ticket.return_url,
        }
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self._secrets[0],
            algorithm=_ALGORITHM,
            headers={"typ": _TYPE},
        )

    def read(self, text: str, source: str, now: int) -> Ticket:
        """
        Return the ticket that *text* is, for *source* and at *now*.

        Raises errors.TicketRefused, and nothing else whatever the text.
        """
        claims = self._verified(text)
        if claims["aud"] != source:
            raise errors.TicketRefused(errors.TicketCause.OTHER_SOURCE)
        expires_at = claims["exp"] * 1000
        if now >= expires_at:
            raise errors.TicketRefused(errors.TicketCause.EXPIRED)
        return Ticket(
            source=source,
            begin_id=claims["bid"],
            expires_at=expires_at,
            session_id=claims.get("sid"),
            return_url=claims.get("url"),
        )

    def _verified(self, text: str) -> dict[str, Any]:
        """Return the claims that one of our secrets has signed."""
        cause = errors.TicketCause.MALFORMED
        for secret in self._secrets if len(text) <= _LENGTH_MAX else ():
            try:
                token = jwt.decode_complete(
                    text,
                    secret,
                    algorithms=[_ALGORITHM],
                    # Time comes from the caller, and the source is told apart below.
                    options={
                        "require": list(_REQUIRED),
                        "verify_exp": False,
                        "verify_aud": False,
                    },
                )
            except jwt.InvalidSignatureError:
                cause = errors.TicketCause.ALTERED
                continue
            except (jwt.InvalidTokenError, ValueError, RecursionError):
                break
            claims: dict[str, Any] = token["payload"]
            if token["header"].get("typ") == _TYPE and _well_formed(claims):
                return claims
            break
        raise errors.TicketRefused(cause)


def _well_formed(claims: dict[str, Any]) -> bool:
    """Return whether the claims are of the types that we write."""
    texts = (claims["aud"], claims["bid"], claims.get("sid", ""), claims.get("url", ""))
    return type(claims["exp"]) is int and all(isinstance(text, str) for text in texts)
