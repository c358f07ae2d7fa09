"""
Begin sessions at id beyond (Uniicy): one call, a hosted address or a snippet.

What we put into ``metadata`` comes back with every callback, so that a session whose
beginning we did not survive is known by its first one. Source: the vendor's guide,
seen 2026-11-21.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _hosted, _http, _http_responses, _start
from worker.providers.idbeyond import settings, start_parameters
from worker.settings import urls

_SESSIONS = "/api/verification/sessions"
_METADATA = start_parameters.METADATA
BEGIN_ID = settings.BEGIN_ID
_BEGIN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ADDRESS_MAX = 4096
_RELAYED = "standard_webhooks"
_KEY_INVALID = "API_KEY_INVALID"


class SessionStarter:
    """Begins sessions of one organisation."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what id beyond would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        settings = self._settings
        embedded = request.mode is model.BeginMode.EMBED
        if embedded and settings.publishable_key is None:
            problems.add("mode", "must be redirect: the source has no publishable_key")
        if _RELAYED in settings.authenticators and settings.webhook_url is None:
            problems.add("source", "has no webhook_url: set your relay's address")
        start_parameters.check(
            problems,
            request.provider_params,
            reserved={BEGIN_ID, settings.reference_field},
        )
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: id beyond chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the session; a second call creates another one. See ports."""
        self.check(request)
        body = self._body(request)
        answer = await _start.send(
            self._http,
            _SESSIONS,
            orjson.dumps(body),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._settings.api_key.reveal()}",
            },
        )
        if answer.status // 100 != 2:  # noqa: PLR2004 -- 2xx
            raise self._failure(answer, body)
        return self._begun(_accepted(answer), request)

    def _body(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the documented fields, and what else the caller passes on."""
        settings = self._settings
        metadata = dict(request.provider_params.get(_METADATA) or {})
        metadata[BEGIN_ID] = request.begin_id
        if settings.reference_field:
            metadata[settings.reference_field] = request.reference
        body = {
            **request.provider_params,
            "externalUserId": request.reference,
            _METADATA: metadata,
        }
        if webhook_url := settings.webhook_url or request.webhook_url:
            body["webhookUrl"] = webhook_url
        if settings.hmac_secrets:
            body["webhookSecret"] = settings.hmac_secrets[0].reveal()
        # Inside of a company's page the end user is not redirected at the end.
        if request.return_address and request.mode is model.BeginMode.REDIRECT:
            body["returnUrl"] = request.return_address
        return body

    def _begun(
        self, document: Mapping[str, Any], request: model.BeginRequest
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt where a part is missing."""
        spelling = document.get("sessionId")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise errors.BeginInDoubt("sessionId")
        embedded = request.mode is model.BeginMode.EMBED
        expires_at = _fields.rfc3339_ms(document.get("expiresAt"))
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=str(spelling),
            url=None if embedded else self._hosted(document),
            embed=self._snippet(str(spelling), document) if embedded else None,
            expires_at=expires_at,
            warnings=tuple(_warnings(request, expires_at)),
        )

    def _hosted(self, document: Mapping[str, Any]) -> str:
        """Return the address to open, which holds a credential: never parsed."""
        address = document.get("hostedUrl")
        if not isinstance(address, str) or not _hosted.may_be_opened(
            address, loopback=urls.loopback(self._settings.base_url)
        ):
            raise errors.BeginInDoubt("hostedUrl")
        return address

    def _snippet(self, session_id: str, document: Mapping[str, Any]) -> str:
        """Return the guide's snippet; ``token`` is the old name of the credential."""
        credential = document.get("clientSecret", document.get("token"))
        if not isinstance(credential, str) or not 0 < len(credential) <= _ADDRESS_MAX:
            raise errors.BeginInDoubt("clientSecret")
        settings = self._settings
        return _SNIPPET.format(
            widget=_start.script_text(settings.widget_url),
            key=_start.script_text(settings.publishable_key or ""),
            session=_start.script_text(session_id),
            secret=_start.script_text(credential),
        )

    def _failure(
        self, answer: _http_responses.HttpResponse, body: Mapping[str, Any]
    ) -> errors.InvalidBeginRequest | errors.FetchError:
        """Return what a refusal means; of the codes only one is documented."""
        if answer.status == 401 and _code(answer) == _KEY_INVALID:  # noqa: PLR2004 -- HTTP
            return errors.ProviderAuthFailed(_KEY_INVALID)
        return _start.refusal(answer, self._fields(body))

    def _fields(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Return what the caller calls the fields that id beyond may name."""
        fields = {name: f"{_start.PARAMS}.{name}" for name in body}
        for key in body[_METADATA]:
            fields[f"{_METADATA}.{key}"] = f"{_start.PARAMS}.{_METADATA}.{key}"
        fields[f"{_METADATA}.{self._settings.reference_field}"] = "reference"
        fields["externalUserId"] = "reference"
        fields["returnUrl"] = _start.RETURN_URL
        # What is wrong with these the caller cannot mend.
        for name in ("webhookUrl", "webhookSecret", f"{_METADATA}.{BEGIN_ID}"):
            fields.pop(name, None)
        return fields

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def begin_id_of(document: Mapping[str, Any]) -> str | None:
    """Return the begin id that the echoed ``metadata`` holds, if it may be ours."""
    value = _fields.table(document, _METADATA).get(BEGIN_ID)
    if isinstance(value, str) and _BEGIN_ID.fullmatch(value):
        return value
    return None


def _accepted(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the answer of a session that was made."""
    document: dict[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    match document.get("ok"):
        case True:
            return document
        case False:
            raise errors.InvalidResponse("not_ok")
        case _:
            raise errors.BeginInDoubt("ok")


def _code(answer: _http_responses.HttpResponse) -> object:
    """Return the code of an error, wherever in the answer it stands."""
    try:
        document = _http.parse_object(answer.body)
    except errors.InvalidResponse:
        return None
    code = document.get("error", document.get("code"))
    return code.get("code") if isinstance(code, dict) else code


def _warnings(request: model.BeginRequest, expires_at: int | None) -> Iterator[str]:
    """Yield what the caller should know of what has begun all the same."""
    if unknown := start_parameters.unknown(request.provider_params):
        yield f"passed on unchecked: {', '.join(unknown)}"
    if request.language is not None:
        yield "language is not passed on: id beyond documents no field for it"
    if expires_at is None:
        yield "id beyond does not say when the session expires"


# Vendor guide, 2b: the callbacks of its sample only print, and are left out.
_SNIPPET = """\
<div id="kyc"></div>
<script type="module">
  import {{ init }} from {widget};
  const uniicy = init({{ publishableKey: {key} }});
  uniicy.mount(document.getElementById("kyc"), {{
    sessionId: {session},
    clientSecret: {secret},
  }});
</script>
"""
