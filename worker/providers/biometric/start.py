"""
Begin a session at Biometric.kz: ``POST …/flows/session/create/``.

The flow's key stands in the body, the session id in the address that is opened.

What the browser does: the widget ends with an event ``finish`` on ``window``, whose
``detail`` holds what the front end collected (personal: it is for no log); a page
that shows the widget listens for it, and then asks us. The hosted flow comes back to
nowhere. Flow Widget guide, section 4, seen 2026-11-21.
"""

import contextlib
import re
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _http, _http_responses, _start
from worker.providers.biometric import settings as _settings
from worker.providers.biometric import start_metadata

_CREATE = "/api/v1/flows/session/create/"
_OK = frozenset({200, 201})
_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_CODES_MAX = 50


class SessionStarter:
    """Begins the sessions of one flow."""

    def __init__(
        self, source: str, settings: _settings.Settings, clock: clocks.Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Biometric.kz would refuse; see ports.SessionStarter."""
        start_metadata.check(request, self._settings)

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return nothing: Biometric.kz chooses the session id."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Begin a session; see ports.SessionStarter.

        ``details["technologies"]`` are the flow's, in the order in which the person
        meets them. How long a session lives is not documented.
        """
        self.check(request)
        key = self._settings.flow_api_key.reveal()
        body = orjson.dumps({"api_key": key, **request.provider_params})
        headers = {"Content-Type": "application/json"}
        answer = await _start.send(self._http, _CREATE, body, headers)
        if answer.status not in _OK:
            raise _start.refusal(answer, start_metadata.build_metadata(request))
        document = _document(answer)
        session_id = _fields.canonical_uuid(document.get("session_id"))
        if session_id is None:
            raise errors.BeginInDoubt("no_session_id")
        spelling = str(document["session_id"])
        embedded = request.mode is model.BeginMode.EMBED
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=spelling,
            url=None if embedded else self._address(spelling, request.language),
            embed=self._widget(spelling, request.language) if embedded else None,
            details=_technologies(document.get("technologies")),
        )

    def _address(self, session_id: str, language: str | None) -> str:
        """Return the hosted flow's address, as integrators use it."""
        query = "" if language is None else f"?locale={language}"
        return f"{self._settings.remote_url}/flow/{session_id}{query}"

    def _widget(self, session_id: str, language: str | None) -> str:
        """Return the guide's final example, less the listener, which is the page's."""
        script = f"{self._settings.remote_url}/widget/flow-widget.umd.js"
        locale = language or self._settings.widget_locale
        return (
            '<div id="flow-widget"></div>\n'
            f'<script type="module" src="{_start.attribute(script)}"></script>\n'
            '<script type="module">\n'
            "    FlowWidget.startSession({\n"
            f"        id: {_start.script_text(session_id)},\n"
            "        selector: '#flow-widget',\n"
            f"        locale: {_start.script_text(locale)}\n"
            "    })\n"
            "</script>"
        )

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._http.close()


def _document(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the object that the answer is; any other leaves the begin in doubt."""
    with contextlib.suppress(errors.InvalidResponse):
        return _http.parse_object(answer.body)
    # Raised here and not above: without a context, as all of the errors of _http.
    raise errors.BeginInDoubt("no_session_id")


def _technologies(codes: object) -> dict[str, Any]:
    """Return the ordered codes, all of them or none."""
    if (
        isinstance(codes, list)
        and len(codes) <= _CODES_MAX
        and all(isinstance(code, str) and _CODE.fullmatch(code) for code in codes)
    ):
        return {"technologies": codes}
    return {}
