"""
Call Identomat: one company's settings, and requests signed both ways.

Vendor pages seen 2026-11-20.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import orjson
import pydantic

from worker import errors, signing
from worker.providers import _fields, _http_answers
from worker.providers import identomat_tables as _words
from worker.settings import secret, sources, types, urls

# Vendor page "HMAC authorization": base64 HMAC-SHA-256 over the whole body as sent.
# Documented for our calls and their answers; on callbacks a company may agree on it.
SIGNATURE = signing.SignatureScheme(
    "Authorization", encoding="base64", prefix='signature="', suffix='"'
)
_CONFIG_ID = r"^[A-Za-z0-9._:-]{1,128}\z"


class Settings(sources.Source):
    """One company at Identomat."""

    provider: Literal["identomat"] = "identomat"
    # A session's token lives 15 minutes (vendor guide, seen 2026-11-20).
    session_deadline: types.PositiveMs = 3_600_000
    base_url: str = "https://widget.identomat.com"
    company_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ]
    #: turns HMAC on for our calls and their answers
    secret_key: (
        Annotated[secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)]
        | None
    ) = None
    # The guide has /begin/, the reference and all clients seen /external-api/begin/.
    path_prefix: Annotated[str, pydantic.Field(pattern=r"^(/[A-Za-z0-9_-]+)*\z")] = (
        "/external-api"
    )
    messages: Literal["discard"] | None = None
    #: where messages are posted as they came; nothing of them is stored
    forward_messages_to: str | None = None
    # The shape of both documented samples; not promised.
    session_id_pattern: str = r"[a-z0-9]{40}"
    #: ``type`` of the status callback, once the vendor tells; any other wakes as well
    event_types: tuple[str, ...] = ()
    status_words: _words.StatusWords = _words.STATUS_WORDS
    reject_reasons: _words.RejectReasons = _words.REJECT_REASONS
    #: the configuration of sessions that name neither one nor flags nor steps
    config_id: Annotated[str, pydantic.Field(pattern=_CONFIG_ID)] | None = None
    # Guide: "valid for 15 minutes by default"; a company may have agreed on another.
    token_lifetime: types.PositiveMs = 900_000
    #: where the person goes; else ``base_url``, as documented
    widget_url: str | None = None

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return both: the key in the body passes through every log on its way."""
        return ("signed_url", "body_key")

    @pydantic.field_validator("session_id_pattern")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern, re.ASCII)
        except re.error:
            raise ValueError("must be a regular expression") from None
        return pattern

    @pydantic.field_validator("widget_url")
    @classmethod
    def _check_widget(cls, value: str | None) -> str | None:
        return None if value is None else urls.outside(value, path=False)

    @pydantic.field_validator("status_words")
    @classmethod
    def _check_words(cls, words: _words.StatusWords) -> _words.StatusWords:
        if {_words.APPROVED, _words.REJECTED} & set(words):
            raise ValueError("must not give approved or rejected another meaning")
        return words

    @pydantic.model_validator(mode="after")
    def _check_messages(self) -> Self:
        if self.messages is not None and self.forward_messages_to is not None:
            raise ValueError("messages and forward_messages_to exclude each other")
        return self


def signed(
    settings: Settings, arguments: Mapping[str, Any]
) -> tuple[bytes, dict[str, str]]:
    """Return the body that carries *arguments* and the company's key, and headers."""
    body = orjson.dumps({"company_key": settings.company_key.reveal(), **arguments})
    headers = {"Content-Type": "application/json"}
    if settings.secret_key is not None:
        key = settings.secret_key.key()
        headers[SIGNATURE.header] = signing.sign(SIGNATURE, key, body)
        # The signature is over the body; no coding may come between.
        headers["Accept-Encoding"] = "identity"
    return body, headers


def is_proven(settings: Settings, answer: _http_answers.HttpAnswer) -> bool:
    """Return whether the very bytes of an answer are signed, where that is due."""
    if settings.secret_key is None:
        return True
    try:
        signing.verify(
            SIGNATURE,
            [settings.secret_key.key()],
            answer.headers.getall(SIGNATURE.header, []),
            answer.body,
        )
    except errors.AuthenticationError:
        return False
    return True
