"""
Start sessions at Jumio: a new account with one workflow, a hosted address or an iframe.

Sources: documentation.jumio.ai, page creating-and-updating-accounts, and the vendor's
API guide of 2023 (account creation, web client); seen 2026-12-01.
"""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _http, _http_responses, _start
from worker.providers.jumio import client, session_ids, settings
from worker.settings import urls

_ACCOUNTS = "/api/v1/accounts"
_ADDRESS = re.compile(
    r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[!#-;=?-~]{0,4000}"
)
_LOCAL_ADDRESS = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/[!#-;=?-~]{0,4000}")
#: "Must not contain" these, and at most 100 characters.
_REFERENCE = _start.text(
    r"[^<>\"/;`%{}|\x00-\x20\x7f-\uffff]{1,100}", "at most 100 plain ASCII characters"
)
_LOCALE = _start.text(r"[a-z]{2}(?:-[A-Z]{2})?", "a language such as en or pt-BR")
_MOST_BYTES = 16 << 10

_TOO_LONG = (
    "the return address is longer than Jumio accepts and is not passed on: set the"
    " success and error URL in the Jumio Portal"
)

_RULES: Mapping[str, _start.Rule] = {
    # Their members are checked by Jumio.
    "credentials": _start.check_any,
    "userConsent": _start.check_any,
    "reportingCriteria": _start.text(r"[ -~]{1,255}", "at most 255 ASCII characters"),
}


class SessionStarter:
    """Starts sessions of one tenant."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._token = client.token(settings, clock)
        self._headers = {
            **client.headers(settings),
            "Content-Type": "application/json",
        }
        self._http = _start.http(
            settings.model_copy(update={"base_url": settings.start_host}), clock
        )

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Jumio would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        problems.check("reference", request.reference, _REFERENCE)
        if request.language is not None:
            problems.check(_start.LANGUAGE, request.language, _LOCALE)
        if not self._fits(request.webhook_url):
            problems.add("source", "has a webhook URL that is too long for Jumio")
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Jumio chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create account and workflow; a second call creates others. See ports."""
        self.check(request)
        body = self._body(request)
        token = await self._authorised()
        # The lifetime begins after this: it ends early rather than late.
        asked_at = self._clock.now_ms()
        answer = await _start.send(
            self._http, _ACCOUNTS, orjson.dumps(body), {**self._headers, **token}
        )
        if answer.status // 100 != 2:  # noqa: PLR2004 -- 2xx
            raise _start.refusal(answer, _fields(body))
        return self._started(_accepted(answer), request, asked_at)

    async def _authorised(self) -> Mapping[str, str]:
        """Return the token's header; without a token nothing is started."""
        try:
            return await self._token.authorization()
        except errors.FetchError as failure:
            answered = failure.answered
            mapped: errors.FetchError = failure
        if not answered:
            mapped = errors.ProviderUnreachable(_http_responses.NOT_CONNECTED)
        raise mapped.with_traceback(None) from None

    def _body(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the documented fields, and what else the caller passes on."""
        params = dict(request.provider_params)
        workflow: dict[str, Any] = {"key": self._settings.workflow_keys[0]}
        if "credentials" in params:
            workflow["credentials"] = params.pop("credentials")
        web: dict[str, Any] = {}
        redirected = request.mode is model.BeginMode.REDIRECT
        if request.return_address and redirected and self._fits(request.return_address):
            web |= dict.fromkeys(("successUrl", "errorUrl"), request.return_address)
        if request.language is not None:
            web["locale"] = request.language
        body = {
            **params,
            "customerInternalReference": request.reference,
            "userReference": request.reference,
            "workflowDefinition": workflow,
            "tokenLifetime": f"{self._settings.token_lifetime // 1000}s",
        }
        if request.webhook_url is not None:
            body["callbackUrl"] = request.webhook_url
        return body | ({"web": web} if web else {})

    def _started(
        self, document: Mapping[str, Any], request: model.BeginRequest, asked_at: int
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt where a part is missing."""
        account, execution, web = (
            value if isinstance(value := document.get(name), dict) else {}
            for name in ("account", "workflowExecution", "web")
        )
        spelling = session_ids.join(account.get("id"), execution.get("id"))
        session_id = session_ids.canonical(spelling)
        if spelling is None or session_id is None:
            raise errors.BeginInDoubt("id")
        address = web.get("href")
        if not isinstance(address, str) or not self._may_be_opened(address):
            # "You need to define a subdomain in your Customer Portal".
            raise errors.BeginInDoubt("href")
        embedded = request.mode is model.BeginMode.EMBED
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=spelling,
            url=None if embedded else address,
            embed=_IFRAME.format(address=_start.attribute(address))
            if embedded
            else None,
            expires_at=asked_at + self._settings.token_lifetime,
            warnings=() if self._fits(request.return_address) else (_TOO_LONG,),
        )

    def _fits(self, url: str | None) -> bool:
        """Return whether Jumio accepts an address of this length."""
        return len(url or "") <= self._settings.max_url_length

    def _may_be_opened(self, address: str) -> bool:
        """Return whether a browser may be sent there: https, or a simulator's."""
        local = urls.loopback(self._settings.base_url)
        return bool(
            _ADDRESS.fullmatch(address) or (local and _LOCAL_ADDRESS.fullmatch(address))
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._token.close()
        await self._http.close()


def _accepted(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the response of a session that was created."""
    document: dict[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    return document


def _fields(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what the caller calls the fields that Jumio may name."""
    fields = {name: f"{_start.PARAMS}.{name}" for name in _RULES if name in body}
    fields |= {
        "customerInternalReference": "reference",
        "userReference": "reference",
        "workflowDefinition.credentials": f"{_start.PARAMS}.credentials",
        "web.successUrl": _start.RETURN_URL,
        "web.errorUrl": _start.RETURN_URL,
        "web.locale": _start.LANGUAGE,
    }
    return fields


_IFRAME = (
    '<iframe src="{address}" width="930" height="750"'
    ' allow="camera;fullscreen;accelerometer;gyroscope;magnetometer"'
    " allowfullscreen></iframe>\n"
)
