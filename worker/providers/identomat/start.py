"""
Begin a session at Identomat: ``POST …/begin/``, answered with the bare token.

The token is the session id, and a bearer: who has it can go on with the session. It
is in no log and in no exception.

What the browser does: a page that was left for the widget is come back to at
``return_url``, with the token in the query; a page around the iframe hears a
``message`` whose ``origin`` is the widget's and whose ``data`` is ``DONE``. Neither
says how it went. Developer guide, seen 2026-11-21.
"""

import re
import urllib.parse
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _http_responses, _start
from worker.providers.identomat import client as _api
from worker.providers.identomat import start_flags as _flags

_OK = frozenset({200, 201})
#: whatever ``session_id_pattern`` says: no space, no quote, no bracket of a document
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,255}")
_NOTHING_ASKED = (
    "neither config_id nor flags nor steps are given: Identomat's own defaults hold,"
    " which check no liveness"
)


class SessionStarter:
    """Begins the sessions of one company."""

    def __init__(
        self, source: str, settings: _api.Settings, clock: clocks.Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._session_id = re.compile(settings.session_id_pattern, re.ASCII)
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Identomat would refuse; see ports.SessionStarter."""
        self._arguments(request)

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return nothing: Identomat chooses the token."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Begin a session; see ports.SessionStarter.

        An answer that holds no token, or that is not rightly signed where it must be,
        raises errors.BeginInDoubt: there may be a session without an end user.
        """
        arguments, warnings = self._arguments(request)
        body, headers = _api.signed(self._settings, arguments)
        # The token's life begins after this: it is rather over than promised too long.
        asked_at = self._clock.now_ms()
        path = f"{self._settings.path_prefix}/begin/"
        answer = await _start.send(self._http, path, body, headers)
        if answer.status not in _OK:
            raise _start.refusal(answer, _flags.sent(request))
        if not _api.is_proven(self._settings, answer):
            raise errors.BeginInDoubt("bad_result_signature")
        token = self._token(answer)
        address = self._address(token)
        embedded = request.mode is model.BeginMode.EMBED
        return model.StartedSession(
            session_id=token,
            provider_session_id=token,
            url=None if embedded else address,
            embed=_iframe(address) if embedded else None,
            expires_at=asked_at + self._settings.token_lifetime,
            warnings=warnings,
        )

    def _arguments(
        self, request: model.BeginRequest
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return what is sent beside the key, and warnings about it."""
        warnings = _flags.checked(request)
        params = request.provider_params
        flags = _flags.of_request(request)
        if "flags" in params or "steps" in params:
            arguments: dict[str, Any] = {"flags": _flags.complete(params) | flags}
            if "steps" in params:
                arguments["steps"] = params["steps"]
            return arguments, warnings
        config_id = params.get("config_id", self._settings.config_id)
        if config_id is None:
            return {"flags": flags}, (*warnings, _NOTHING_ASKED)
        # Guide: return_url is "specified in the configuration or session flags".
        return {"config_id": config_id} | ({"flags": flags} if flags else {}), warnings

    def _token(self, answer: _http_responses.HttpResponse) -> str:
        """
        Return the bare token, quoted as JSON or not.

        The reference prints ``{ "…" }``, which is no JSON and which no client has seen.
        """
        token: Any = None
        try:
            token = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            token = answer.body.decode("ascii", "replace").strip()
        if (
            isinstance(token, str)
            and _TOKEN.fullmatch(token)
            and self._session_id.fullmatch(token)
        ):
            return token
        raise errors.BeginInDoubt("no_token")

    def _address(self, token: str) -> str:
        """Return where the person goes, as documented."""
        widget = self._settings.widget_url or self._settings.base_url
        return f"{widget}/?session_token={urllib.parse.quote(token, safe='')}"

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._http.close()


def _iframe(address: str) -> str:
    """Return the documented snippet; ``allow`` is needed for the camera."""
    return (
        "<iframe\n"
        f'    src="{_start.attribute(address)}"\n'
        '    allow="camera">\n'
        "</iframe>"
    )
