"""Find out which of the configured keys a caller has."""

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Sequence

import orjson

from worker import settings
from worker.api import requests

_SCHEME = "bearer"
_LENGTH_MAX = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are valid; only their digests are known here."""

    known: Sequence[settings.ApiKey]

    def find(self, presented: Sequence[str]) -> settings.ApiKey | None:
        """
        Return the key that *presented*, all values of ``Authorization``, holds.

        Takes the same time whichever it is, and where it is none. None where there
        is not exactly one value, of the scheme ``Bearer``.
        """
        scheme, _, key = presented[0].partition(" ") if presented else ("", "", "")
        if len(presented) != 1 or scheme.lower() != _SCHEME or len(key) > _LENGTH_MAX:
            return None
        digest = hashlib.sha256(
            key.strip().encode("utf-8", "surrogatepass")
        ).hexdigest()
        found = None
        for each in self.known:
            if hmac.compare_digest(each.sha256, digest):
                found = each
        return found


_ID_LABEL = b"kyc-worker:begin-id:v1"
_REQUEST_LABEL = b"kyc-worker:request-digest:v1"
_BYTES = 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A begin, as a repeat of it is recognised, and the request that it is for."""

    begin_id: str
    #: keyed, so that the request cannot be guessed; None where nothing is repeated
    request_digest: str | None


class BeginIds:
    """
    Makes begin ids of ``Idempotency-Key`` with keys derived from *ticket_secrets*.

    Nobody outside can make one: a begin id may be what a session id is derived from.
    """

    def __init__(self, ticket_secrets: Sequence[bytes]) -> None:
        self._keys = [
            (
                hmac.digest(secret, _ID_LABEL, "sha256"),
                hmac.digest(secret, _REQUEST_LABEL, "sha256"),
            )
            for secret in ticket_secrets
        ]

    def of(
        self, source: str, caller: str, idempotency_key: str, wanted: requests.Begin
    ) -> list[Identity]:
        """
        Return the identity of *wanted*, and those that it has by older secrets.

        *caller* is the digest of the api key: the same ``Idempotency-Key`` of another
        caller is another begin.
        """
        parts = f"{source}\0{caller}\0{idempotency_key}".encode()
        content = _canonical(wanted)
        return [
            Identity(
                begin_id=_begin_id(of_id, parts),
                request_digest=hmac.digest(of_request, content, "sha256").hex(),
            )
            for of_id, of_request in self._keys
        ]

    def without_caller(self, source: str, idempotency_key: str) -> list[str]:
        """Return the begin ids as releases made them that asked for no caller."""
        parts = f"{source}\0{idempotency_key}".encode()
        return [_begin_id(of_id, parts) for of_id, _ in self._keys]

    def random(self) -> Identity:
        """Return the identity of a begin that is never repeated."""
        return Identity(begin_id=secrets.token_hex(_BYTES), request_digest=None)


def _begin_id(key: bytes, parts: bytes) -> str:
    return hmac.digest(key, parts, "sha256")[:_BYTES].hex()


def _canonical(wanted: requests.Begin) -> bytes:
    """Return *wanted* as bytes that are the same however its JSON was written."""
    document = {
        field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)
    }
    document["provider_params"] = dict(wanted.provider_params)
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
