"""
Call Identomat: one company's settings, and requests signed both ways.

Vendor pages seen 2026-11-20.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
import pydantic

from worker import errors, signing
from worker.providers import _fields, _http_responses
from worker.providers.identomat import tables as _words
from worker.settings import secret, sources, types, urls

# Vendor page "HMAC authorization": base64 HMAC-SHA-256 over the whole body as sent.
# Documented for our calls and their answers; on callbacks a company may agree on it.
SIGNATURE = signing.BodyHmac(
    "Authorization", encoding="base64", prefix='signature="', suffix='"'
)
_CONFIG_ID = r"^[A-Za-z0-9._:-]{1,128}\z"


class Settings(sources.Source):
    """One company at Identomat."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "widget_url")

    provider: Literal["identomat"] = "identomat"
    # A session's token lives 15 minutes (vendor guide, seen 2026-11-20).
    session_deadline: types.PositiveMs = pydantic.Field(
        default=3_600_000,
        description="Time from the registration of a session until it is fetched"
        " without a callback. A session's token is valid for 15 minutes.",
    )
    base_url: str = pydantic.Field(
        default="https://widget.identomat.com",
        description="Address of the API, without a path.",
    )
    company_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Company key from Identomat, for our calls.")
    secret_key: (
        Annotated[secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)]
        | None
    ) = pydantic.Field(
        default=None,
        description="Signs our calls. If it is set, a response without a valid"
        " signature is an error.",
    )
    # The guide has /begin/, the reference and all clients seen /external-api/begin/.
    path_prefix: str = pydantic.Field(
        default="/external-api",
        pattern=r"^(/[A-Za-z0-9_-]+)*\z",
        description="Prefix of the API's paths.",
    )
    messages: Literal["discard"] | None = pydantic.Field(
        default=None,
        description="`discard` drops one-time codes and links that your side would have"
        " to deliver. Without it and without `forward_messages_to`, they are answered"
        " with 503 and raise an alarm.",
    )
    forward_messages_to: str | None = pydantic.Field(
        default=None,
        description="Instead of `messages`: an https URL that delivers them. Their"
        " content is not stored.",
    )
    # The shape of both documented samples; not promised.
    session_id_pattern: str = pydantic.Field(
        default=r"[a-z0-9]{40}",
        description="Regular expression for the vendor's session ids, whose format is"
        " not documented.",
    )
    event_types: tuple[str, ...] = pydantic.Field(
        default=(),
        description="Names of status callbacks, for metrics and records. Callbacks of"
        " other types wake the session as well.",
    )
    status_words: _words.StatusWords = pydantic.Field(
        default=_words.STATUS_WORDS,
        description="Meaning of status values other than `approved` and `rejected`. An"
        " unknown value is pending with `unrecognised_result`.",
    )
    reject_reasons: _words.RejectReasons = pydantic.Field(
        default=_words.REJECT_REASONS,
        description="The vendor's rejection reason → our `reason`; an unknown one is"
        " `declined`.",
    )
    config_id: Annotated[str, pydantic.Field(pattern=_CONFIG_ID)] | None = (
        pydantic.Field(
            default=None,
            description="Configuration of a session whose start contains no"
            " `config_id`, no `flags` and no `steps`.",
        )
    )
    # Guide: "valid for 15 minutes by default"; a company may have agreed on another.
    token_lifetime: types.PositiveMs = pydantic.Field(
        default=900_000,
        description="How long a started session can be entered: `expires_at`.",
    )
    widget_url: str | None = pydantic.Field(
        default=None,
        description="Address that end users are sent to, without a path. Default:"
        " `base_url`.",
    )

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
        return None if value is None else urls.check_external_url(value, path=False)

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
        headers[SIGNATURE.header] = SIGNATURE.sign(key, body)
        # The signature is over the body; no coding may come between.
        headers["Accept-Encoding"] = "identity"
    return body, headers


def is_proven(settings: Settings, answer: _http_responses.HttpResponse) -> bool:
    """Return whether the very bytes of an answer are signed, where that is due."""
    if settings.secret_key is None:
        return True
    try:
        SIGNATURE.match(
            [settings.secret_key.key()],
            answer.headers.getall(SIGNATURE.header, []),
            answer.body,
        )
    except errors.AuthenticationError:
        return False
    return True
