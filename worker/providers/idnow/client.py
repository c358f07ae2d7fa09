"""Call IDnow's gateway: one login for all, and the cause of an error before its status.

Sources: the vendor's API documentation (PDF, version 2016-02-15), chapters 8 and 12,
seen 2026-11-20.
"""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import orjson

from worker import errors, policy
from worker.providers import _http, _http_responses, _single_flight
from worker.providers.idnow import tables
from worker.settings import types

_TOKEN_HEADER = "X-API-LOGIN-TOKEN"  # noqa: S105 -- a name, no secret
_TOKEN = re.compile(r"[!-~]{1,4096}")


class ApiClient:
    """One company's access to the gateway."""

    def __init__(
        self, http: _http.Http, *, company_id: str, api_key: types.Secret
    ) -> None:
        self._http = http
        self._root = f"/api/v1/{urllib.parse.quote(company_id, safe='')}"
        self._api_key = api_key
        self._token: str | None = None
        self._login = _single_flight.SingleFlight[str]()

    async def identification(self, number: str) -> tuple[dict[str, Any], int]:
        """
        Return the single result of the transaction, and when it came, in ms.

        *number* has passed the pattern. Raises errors.FetchError, of which
        errors.NoSuchSession sends the caller to the lists.
        """
        return await self._get(
            f"/identifications/{urllib.parse.quote(number, safe='')}"
        )

    async def listed(
        self, name: str, *, limit_bytes: int
    ) -> tuple[dict[str, Any], int]:
        """Return the company-wide list *name*, and when it came, in ms."""
        return await self._get(
            "/identifications", query={name: "true"}, limit_bytes=limit_bytes
        )

    async def _get(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        limit_bytes: int | None = None,
    ) -> tuple[dict[str, Any], int]:
        """Read with the token, and once again with a new one where it has died."""
        token = self._token or await self._new_token()
        answer = await self._ask(token, path, query, limit_bytes)
        if _token_died(answer):
            if self._token == token:
                self._token = None
            # Another caller may have logged in meanwhile: then its token is tried.
            token = self._token or await self._new_token()
            answer = await self._ask(token, path, query, limit_bytes)
        return read(answer), answer.received_at

    async def _ask(
        self,
        token: str,
        path: str,
        query: Mapping[str, str] | None,
        limit_bytes: int | None,
    ) -> _http_responses.HttpResponse:
        return await self._http.request(
            "GET",
            self._root + path,
            query=query,
            headers={_TOKEN_HEADER: token},
            limit_bytes=limit_bytes,
        )

    async def _new_token(self) -> str:
        """Return the token of a login that all share who need one now."""
        return await self._login.join(self._log_in)

    async def _log_in(self) -> str:
        """Return a new token; it dies after an hour without use (chapter 8.3.1)."""
        answer = await self._http.request(
            "POST",
            f"{self._root}/login",
            body=orjson.dumps({"apiKey": self._api_key.reveal()}),
            headers={"Content-Type": "application/json"},
        )
        denied = _cause(answer) in {"SECURITY_VIOLATION", tables.NOT_FOUND}
        if denied or answer.status == 404:  # noqa: PLR2004 -- no such company
            raise errors.ProviderAuthFailed("login")
        token = read(answer).get("authToken")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise errors.InvalidResponse("login")
        self._token = token
        return token

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._login.close()
        await self._http.close()


def read(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the document of *answer*, or raise what its cause or status means."""
    cause = _cause(answer)
    known = policy.known_word(cause, tables.CAUSES)
    if known is not None and known in tables.CAUSES:
        raise tables.CAUSES[known](
            known, retry_after_ms=_http_responses.retry_after_ms(answer)
        )
    match answer.status:
        case 200 if cause is None:
            return _http.parse_object(answer.body)
        case 404:
            raise errors.SessionNotFound("404")
        case _:
            raise _http_responses.map_status(answer, detail=known or "")


def _token_died(answer: _http_responses.HttpResponse) -> bool:
    """Return whether a new login may help: by the cause, else by the status."""
    cause = _cause(answer)
    if cause is None or cause not in tables.CAUSES:
        return answer.status == 401  # noqa: PLR2004 -- unauthorised
    return cause in tables.TOKEN_CAUSES


def _cause(answer: _http_responses.HttpResponse) -> str | None:
    """Return the first ``errors[].cause``, whatever the status; None without one."""
    listed = listed_errors(answer)
    cause = listed[0].get("cause") if listed else None
    return cause if isinstance(cause, str) else None


def listed_errors(
    answer: _http_responses.HttpResponse,
) -> tuple[Mapping[str, Any], ...]:
    """Return the objects that ``errors`` lists, none where it is no list."""
    try:
        listed = _http.parse_object(answer.body).get("errors")
    except errors.InvalidResponse:
        return ()
    found = listed if isinstance(listed, list) else []
    return tuple(error for error in found if isinstance(error, dict))
