"""
Start sessions at Stripe Identity: one call, a hosted URL or the modal of Stripe.js.

Sources, seen 2026-12-01: https://docs.stripe.com/api/identity/verification_sessions/create
and the parameter types of stripe-node 20.1.2. ``metadata`` comes back with every event.
"""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _hosted, _http, _http_responses, _start
from worker.providers.stripe import settings as _settings
from worker.settings import urls

SESSIONS = "/v1/identity/verification_sessions"
_SESSION_ID = re.compile(r"vs_[A-Za-z0-9_]{1,252}")
_BEGIN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECRET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_CODE = re.compile(r"[a-z_]{1,64}")
_METADATA = "metadata"
_MOST_BYTES = 16 << 10
_DEPTH_MAX = 6
# https://docs.stripe.com/api/metadata, seen 2026-12-01: 50 keys; ours are two.
_KEYS_MAX = 48
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
_VALUE_MAX = 500


class SessionStarter:
    """Starts sessions of one account."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Stripe would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        embedded = request.mode is model.BeginMode.EMBED
        if embedded and self._settings.publishable_key is None:
            problems.add("mode", "must be redirect: the source has no publishable_key")
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        if "type" in params and "verification_flow" in params:
            problems.add(
                f"{_start.PARAMS}.type", "must not be combined with verification_flow"
            )
        if _METADATA in params:
            reserved = (_settings.BEGIN_ID, self._settings.reference_field)
            _check_metadata(problems, params[_METADATA], reserved)
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Stripe chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the session; a second call creates another one. See ports."""
        self.check(request)
        pairs = list(_pairs("", self._parameters(request), 0))
        answer = await _start.send(
            self._http,
            SESSIONS,
            urllib.parse.urlencode(pairs).encode(),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                **headers(self._settings),
            },
        )
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _start.refusal(answer, _refused_field(answer, pairs))
        return self._started(_document(answer), request)

    def _parameters(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the documented parameters, and those that the caller gives."""
        params = dict(request.provider_params)
        metadata = dict(params.pop(_METADATA, {}))
        metadata[_settings.BEGIN_ID] = request.begin_id
        field = self._settings.reference_field
        if field and field != _settings.REFERENCE:
            metadata[field] = request.reference
        if "type" not in params and "verification_flow" not in params:
            flow = self._settings.verification_flow
            params |= {"verification_flow": flow} if flow else {"type": "document"}
        params |= {_settings.REFERENCE: request.reference, _METADATA: metadata}
        if request.return_address and request.mode is model.BeginMode.REDIRECT:
            params["return_url"] = request.return_address
        return params

    def _started(
        self, document: Mapping[str, Any], request: model.BeginRequest
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt where a part is missing."""
        found = session_id(document.get("id"))
        if found is None:
            raise errors.BeginInDoubt("id")
        embedded = request.mode is model.BeginMode.EMBED
        language = request.language
        return model.StartedSession(
            session_id=found,
            provider_session_id=found,
            url=None if embedded else self._url(document),
            embed=self._snippet(document) if embedded else None,
            warnings=(
                ()
                if language is None
                else ("language is not sent: Stripe uses that of the browser",)
            ),
        )

    def _url(self, document: Mapping[str, Any]) -> str:
        """Return the URL to open, which contains a credential: never parsed."""
        url = document.get("url")
        loopback = urls.loopback(self._settings.base_url)
        if not isinstance(url, str) or not _hosted.may_be_opened(
            url, loopback=loopback
        ):
            raise errors.BeginInDoubt("url")
        return url

    def _snippet(self, document: Mapping[str, Any]) -> str:
        """Return what opens the modal of Stripe.js."""
        secret = document.get("client_secret")
        if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
            raise errors.BeginInDoubt("client_secret")
        return _SNIPPET.format(
            script=_start.attribute(f"{self._settings.js_url}/v3/"),
            key=_start.script_text(self._settings.publishable_key or ""),
            secret=_start.script_text(secret),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def session_id(spelling: object) -> str | None:
    """Return *spelling* if it is the id of a verification session."""
    if isinstance(spelling, str) and _SESSION_ID.fullmatch(spelling):
        return spelling
    return None


def begin_id(session: Mapping[str, Any]) -> str | None:
    """Return the begin id that the echoed ``metadata`` contains."""
    value = _fields.table(session, _METADATA).get(_settings.BEGIN_ID)
    if isinstance(value, str) and _BEGIN_ID.fullmatch(value):
        return value
    return None


def headers(settings: _settings.Settings) -> dict[str, str]:
    """Return what every call of the account sends."""
    sent = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
    if settings.api_version is not None:
        sent["Stripe-Version"] = settings.api_version
    if settings.connected_account is not None:
        sent["Stripe-Account"] = settings.connected_account
    return sent


def error_code(answer: _http_responses.HttpResponse) -> str | None:
    """Return the code of an error response, None where there is none."""
    code = _error(answer).get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _error(answer: _http_responses.HttpResponse) -> Mapping[str, Any]:
    document: Mapping[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    return _fields.table(document, "error")


def _document(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the created session; any other answer leaves the start in doubt."""
    with contextlib.suppress(errors.InvalidResponse):
        return _http.parse_object(answer.body)
    raise errors.BeginInDoubt("id")


def _pairs(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the form fields of *value*: ``a[b]=c``, ``a[]=d``."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _pairs(f"{name}[{key}]" if name else key, inner, depth + 1)
        case list():
            for inner in value:
                yield from _pairs(f"{name}[]", inner, depth + 1)
        case bool():
            yield name, "true" if value else "false"
        case _:
            yield name, str(value)


def _refused_field(
    answer: _http_responses.HttpResponse, pairs: list[tuple[str, str]]
) -> dict[str, str]:
    """Return what the caller calls the sent field that ``error.param`` names."""
    param = _error(answer).get("param")
    if not isinstance(param, str):
        return {}
    top = param.partition("[")[0]
    if top not in {name.partition("[")[0] for name, _ in pairs}:
        return {}
    ours = {_settings.REFERENCE: "reference", "return_url": _start.RETURN_URL}
    return {param: ours.get(top, f"{_start.PARAMS}.{top}")}


def _check_metadata(
    problems: _start.Problems, metadata: object, reserved: tuple[str | None, ...]
) -> None:
    """Check the caller's own keys, which come back with every event."""
    where = f"{_start.PARAMS}.{_METADATA}"
    if not isinstance(metadata, Mapping) or len(metadata) > _KEYS_MAX:
        problems.add(where, f"must be an object of at most {_KEYS_MAX} texts")
        return
    for key, value in metadata.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            problems.add(where, "contains a key that is no plain name")
        elif key in reserved:
            problems.add(where, "contains a key that kyc-worker sets")
        elif not isinstance(value, str) or not 0 < len(value) <= _VALUE_MAX:
            problems.add(where, f"must contain texts of 1 to {_VALUE_MAX} characters")


def _plain(value: object, depth: int = 0) -> bool:
    """Return whether *value* can be written as form fields."""
    if depth > _DEPTH_MAX:
        return False
    match value:
        case dict():
            return all(
                isinstance(key, str)
                and _KEY.fullmatch(key)
                and _plain(inner, depth + 1)
                for key, inner in value.items()
            )
        case list():
            return all(isinstance(inner, str) and _plain(inner) for inner in value)
        case str():
            return len(value) <= _VALUE_MAX and value.isprintable()
        case _:
            return isinstance(value, bool)


def _options(value: object) -> str | None:
    """Accept the documented shape: objects of texts, lists of texts, true, false."""
    if isinstance(value, dict) and _plain(value):
        return None
    return "must be an object as Stripe documents it"


_RULES: Mapping[str, _start.Rule] = {
    "type": _start.one_of("document", "id_number"),
    "verification_flow": _start.text(r"vf_[A-Za-z0-9]{1,250}", "an id vf_"),
    "options": _options,
    "provided_details": _options,
    "related_customer": _start.text(r"cus_[A-Za-z0-9]{1,250}", "an id cus_"),
    _METADATA: _start.check_any,
}

# https://docs.stripe.com/js/identity/modal, seen 2026-12-01.
_SNIPPET = """\
<button id="stripe-identity" type="button">Verify identity</button>
<script src="{script}"></script>
<script>
  document.getElementById("stripe-identity").addEventListener("click", () => {{
    Stripe({key}).verifyIdentity({secret});
  }});
</script>
"""
