"""
Make and read the tickets that people carry to a provider and back.

A ticket is all that a return is believed by: the address it is part of is given to
the provider before there is a session id. It is a JWT signed with our own secret
(HS256), opaque to everybody else. A JWT is signed and readable, and a session id opens
a session at most providers: it is encrypted in the ticket, whatever the provider.
"""

import base64
import binascii
import dataclasses
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography import exceptions
from cryptography.hazmat.primitives.ciphers import aead

from worker import errors

_ALGORITHM = "HS256"
#: keeps any other JWT of ours, or of the company, from being taken for a ticket
_TYPE = "kyc-ticket+jwt"
_LENGTH_MAX = 4096
_REQUIRED = ("aud", "exp", "bid")
#: The claim that holds the encrypted session id, and the label of its key. An older
#: release wrote "sid", in clear: such tickets are honoured until they expire.
_SEALED = "esid"
_KEY_LABEL = b"kyc-worker:ticket-session-id:v1"
_NONCE_BYTES = 12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a return proves: who was sent away, from which source; times in ms."""

    source: str
    begin_id: str
    expires_at: int
    #: known only where the ticket was made after the session
    session_id: str | None = dataclasses.field(default=None, repr=False)
    #: the company's page that the person goes on to
    return_url: str | None = dataclasses.field(default=None, repr=False)


class TicketSigner:
    """Makes tickets with the first of *secrets*, honours those of all of them."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)
        self._ciphers = tuple(map(_cipher, self._secrets))

    def sign(self, ticket: Ticket) -> str:
        """Return *ticket* as text that fits into a path; exact to the second."""
        claims = {
            "aud": ticket.source,
            "exp": -(-ticket.expires_at // 1000),
            "bid": ticket.begin_id,
            _SEALED: self._sealed(ticket),
            "url": ticket.return_url,
        }
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self._secrets[0],
            algorithm=_ALGORITHM,
            headers={"typ": _TYPE},
        )

    def verify(self, text: str, source: str, now: int) -> Ticket:
        """
        Return the ticket that *text* is, for *source* and at *now*.

        Raises errors.TicketRefused, and nothing else whatever the text.
        """
        claims, cipher = self._verified(text)
        if claims["aud"] != source:
            raise errors.InvalidTicket(errors.TicketCause.OTHER_SOURCE)
        expires_at = claims["exp"] * 1000
        if now >= expires_at:
            raise errors.InvalidTicket(errors.TicketCause.EXPIRED)
        return Ticket(
            source=source,
            begin_id=claims["bid"],
            expires_at=expires_at,
            session_id=_session_id(claims, cipher),
            return_url=claims.get("url"),
        )

    def _sealed(self, ticket: Ticket) -> str | None:
        """Return the session id of *ticket*, encrypted for this ticket alone."""
        if ticket.session_id is None:
            return None
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(
            nonce, ticket.session_id.encode(), _bound_to(ticket.source, ticket.begin_id)
        )
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def _verified(self, text: str) -> tuple[dict[str, Any], aead.AESGCM]:
        """Return the claims that one of our secrets has signed, and its cipher."""
        cause = errors.TicketCause.MALFORMED
        known = zip(self._secrets, self._ciphers, strict=True)
        for secret, cipher in known if len(text) <= _LENGTH_MAX else ():
            try:
                token = jwt.decode_complete(
                    text,
                    secret,
                    algorithms=[_ALGORITHM],
                    # Time comes from the caller, and the source is compared below.
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
                return claims, cipher
            break
        raise errors.InvalidTicket(cause)


def _well_formed(claims: dict[str, Any]) -> bool:
    """Return whether the claims are of the types that we write."""
    texts = [claims["aud"], claims["bid"]]
    texts += [claims.get(name, "") for name in (_SEALED, "sid", "url")]
    return type(claims["exp"]) is int and all(isinstance(text, str) for text in texts)


def _cipher(secret: bytes) -> aead.AESGCM:
    """Return the cipher for session ids; its key is made of *secret* for this alone."""
    return aead.AESGCM(hmac.digest(secret, _KEY_LABEL, "sha256"))


def _bound_to(source: str, begin_id: str) -> bytes:
    """Return what the encrypted session id belongs to."""
    return f"{source}:{begin_id}".encode()


def _session_id(claims: dict[str, Any], cipher: aead.AESGCM) -> str | None:
    """Return the session id of a ticket that we signed; raises TicketRefused."""
    if _SEALED not in claims:
        session_id: str | None = claims.get("sid")
        return session_id
    try:
        sealed = base64.urlsafe_b64decode(claims[_SEALED])
        opened = cipher.decrypt(
            sealed[:_NONCE_BYTES],
            sealed[_NONCE_BYTES:],
            _bound_to(claims["aud"], claims["bid"]),
        )
        return opened.decode()
    except (exceptions.InvalidTag, binascii.Error, ValueError):
        # Raised outside: what was opened in part is in no context of the error.
        pass
    raise errors.InvalidTicket(errors.TicketCause.MALFORMED)
