"""Read what a caller asks for, and tell every wrong field at once."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import codec, errors, model
from worker.api import types
from worker.settings import urls

_REFERENCE_MAX = 255
_RETURN_URL_MAX = 1024
#: RFC 5646, its shape only
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII)
_OWN_PARAMETER = re.compile(r"[?&]kyc_return=")
IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY_PATTERN = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?", re.ASCII)
_PLAIN_NAME = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_LATEST_AHEAD_MS = 400 * 86_400_000

Document = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What is asked of ``POST /sessions/{source}``, checked but for the provider's."""

    reference: str
    mode: model.BeginMode = model.BeginMode.REDIRECT
    return_url: str | None = None
    language: str | None = None
    provider_params: Document = dataclasses.field(default_factory=dict, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What is asked of ``PUT /sessions/{source}/{session_id}``, checked."""

    session_id: str
    provider_session_id: str
    reference: str
    expires_at: int | None = None


class _Fields:
    """Reads the members of a document, and collects what is wrong with them."""

    def __init__(self, document: Document, known: tuple[str, ...]) -> None:
        self._document = document
        self.problems: dict[str, str] = {}
        for name in document:
            if name not in known:
                # A name that is no plain one may be personal: it is not repeated.
                field = name if _PLAIN_NAME.fullmatch(name) else ""
                self.problems[field] = f"is not known: there are {', '.join(known)}"

    def text(self, name: str) -> str | None:
        """Return a text, or None where there is none (or null, or another type)."""
        value = self._document.get(name)
        if value is not None and not isinstance(value, str):
            self.problems[name] = "must be a text"
            return None
        return value

    def table(self, name: str) -> Document:
        """Return an object, empty where there is none."""
        value = self._document.get(name)
        if value is not None and not isinstance(value, dict):
            self.problems[name] = "must be an object"
        return value if isinstance(value, dict) else {}

    def reference(self, of: types.ApiSource) -> str:
        """Return the company's own id, which must be there."""
        value = self.text("reference")
        if value is None:
            self.problems.setdefault("reference", "is missing")
        elif len(value) > _REFERENCE_MAX:
            self.problems["reference"] = f"must be at most {_REFERENCE_MAX} characters"
        elif not value or of.reference.fullmatch(value) is None:
            self.problems["reference"] = (
                f"must match the source's reference_pattern, {of.reference.pattern}"
            )
        return value or ""

    def refuse(self) -> None:
        """Raise errors.BeginRefused if anything is wrong."""
        if self.problems:
            raise errors.InvalidBeginRequest(self.problems)


def parse_begin(document: Document, of: types.ApiSource) -> Begin:
    """Return what *document* asks for; raises errors.BeginRefused."""
    known = tuple(field.name for field in dataclasses.fields(Begin))
    fields = _Fields(document, known)
    reference = fields.reference(of)
    mode = _mode(fields)
    return_url = _return_url(fields, mode, of)
    language = fields.text("language")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        fields.problems["language"] = "must be a language tag such as de or pt-BR"
    provider_params = fields.table("provider_params")
    fields.refuse()
    return Begin(
        reference=reference,
        mode=mode,
        return_url=return_url,
        language=language,
        provider_params=provider_params,
    )


def _mode(fields: _Fields) -> model.BeginMode:
    word = fields.text("mode")
    if word is None:
        return model.BeginMode.REDIRECT
    if word not in list(model.BeginMode):
        fields.problems["mode"] = f"must be one of {', '.join(model.BeginMode)}"
        return model.BeginMode.REDIRECT
    return model.BeginMode(word)


def _return_url(
    fields: _Fields, mode: model.BeginMode, of: types.ApiSource
) -> str | None:
    """Return the company's page to go back to; only listed origins are taken."""
    url = fields.text("return_url")
    redirect = mode is model.BeginMode.REDIRECT
    if url is None or "mode" in fields.problems:
        if redirect and not {"mode", "return_url"} & fields.problems.keys():
            fields.problems["return_url"] = "is missing: mode redirect needs it"
    elif not redirect:
        fields.problems["return_url"] = "is for mode redirect only"
    elif (wrong := _wrong_url(url, of)) is not None:
        fields.problems["return_url"] = wrong
    return url


def _wrong_url(url: str, of: types.ApiSource) -> str | None:
    """Return what is wrong with a return address; never the address."""
    if len(url) > _RETURN_URL_MAX:
        return f"must be at most {_RETURN_URL_MAX} characters"
    try:
        origin = urls.origin(url)
    except ValueError as error:
        return str(error)
    if origin not in of.origins:
        return "must be of an origin that the source's return_origins lists"
    if "#" in url:
        return "must not hold a fragment"
    if _OWN_PARAMETER.search(url):
        return "must not hold kyc_return: it is added on the way back"
    return None


def parse_registration(
    document: Document, of: types.ApiSource, spelling: object, now: int
) -> Registration:
    """
    Return what *document* registers of the session *spelling*, at *now* (ms).

    Raises errors.BeginRefused.
    """
    fields = _Fields(document, ("reference", "expires_at"))
    session_id = of.canonical(spelling)
    if session_id is None:
        fields.problems["session_id"] = (
            f"is no session id of {of.provider}: it does not match the pattern"
        )
    reference = fields.reference(of)
    expires_at = _expires_at(fields, now)
    fields.refuse()
    return Registration(
        session_id=session_id or "",
        provider_session_id=str(spelling),
        reference=reference,
        expires_at=expires_at,
    )


def _expires_at(fields: _Fields, now: int) -> int | None:
    text = fields.text("expires_at")
    if text is None:
        return None
    try:
        at = clocks.parse_rfc3339(text)
    except ValueError:
        fields.problems["expires_at"] = "must be a time such as 2026-11-21T10:15:00Z"
        return None
    if at > now + _LATEST_AHEAD_MS:
        fields.problems["expires_at"] = "must be at most 400 days ahead"
    return at


def idempotency_key(presented: list[str]) -> str | None:
    """
    Return the one value of ``Idempotency-Key``, None where there is none.

    Raises errors.BeginRefused.
    """
    if not presented:
        return None
    if len(presented) == 1 and _KEY_PATTERN.fullmatch(presented[0]):
        return presented[0]
    raise errors.InvalidBeginRequest(
        {IDEMPOTENCY_KEY: "must be there once, with 1 to 255 characters of ASCII"}
    )


def registration_event(
    of: types.ApiSource, wanted: Registration, now: int
) -> model.Event:
    """Return the event of a session that was begun elsewhere, at *now* (ms)."""
    return model.Event(
        event_id=model.random_id(),
        type=model.EventType.SESSION_REGISTERED,
        environment=of.environment,
        source=of.name,
        provider=of.provider,
        session_id=wanted.session_id,
        provider_session_id=wanted.provider_session_id,
        received_at=now,
        reference=wanted.reference,
        expires_at=wanted.expires_at,
        traceparent=codec.new_traceparent(),
    )


def begin_registered_event(end: model.Intent) -> model.Event:
    """
    Return the event that registers the session of *end* with the worker.

    The same for each process that publishes it, and each time.
    """
    if end.session_id is None or end.provider_session_id is None:
        raise ValueError("no session is registered")
    place = f"kyc:registered:{end.key}:{end.session_id}"
    return model.Event(
        event_id=model.deterministic_id(place),
        type=model.EventType.SESSION_REGISTERED,
        environment=end.environment,
        source=end.source,
        provider=end.provider,
        session_id=end.session_id,
        provider_session_id=end.provider_session_id,
        received_at=end.begun_at if end.ended_at is None else end.ended_at,
        reference=end.reference,
        begin_id=end.begin_id,
        expires_at=end.expires_at,
        traceparent=codec.new_traceparent(),
    )
