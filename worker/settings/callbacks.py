"""Describe how a source's callbacks are authenticated and read."""

import json
import re
from typing import Literal

import pydantic

from worker import model
from worker.settings import secret, types

Authenticator = Literal[
    "hmac_body", "standard_webhooks", "signed_url", "body_key", "basic", "ip_allow"
]

_TOLERANCE_MIN_MS, _TOLERANCE_MAX_MS = 1_000, 172_800_000


class Callbacks(types.Section):
    """The part of a source that the ingress needs."""

    provider: str = pydantic.Field(description="Name of the provider, such as `idnow`.")
    environment: model.Environment = pydantic.Field(
        description="Part of every record. A `live` source with a test key or a test"
        " host is refused."
    )
    authenticate: tuple[Authenticator, ...] = pydantic.Field(
        default=(),
        description="Authenticators that every callback must pass, all of them. Empty:"
        " the provider's default.",
    )
    methods: tuple[Literal["POST", "GET"], ...] = pydantic.Field(
        default=("POST",),
        description="Accepted HTTP methods. `GET` requires `session_id_query`.",
    )
    max_body_bytes: int = pydantic.Field(
        default=1 << 20,
        ge=1,
        le=64 << 20,
        description="Maximum size of a callback's body; then 413.",
    )
    callback_rate_limit: types.RatePerSecond | None = pydantic.Field(
        default=None,
        description="Callbacks that one ingress process accepts from this source, such"
        ' as `"200/s"`; as many as in 10 s at once. The answer beyond it is 503 with'
        " `Retry-After`. Without it there is no limit.",
    )
    ip_allow: tuple[types.Network, ...] = pydantic.Field(
        default=(),
        description="For `ip_allow`: networks that callbacks come from, such as"
        " `192.0.2.0/24`. A list that covers every address is refused.",
    )
    basic_credentials: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `basic`: `user:password`, with a password of at least 16"
        " characters.",
    )
    url_secrets: tuple[secret.UrlSecret, ...] = pydantic.Field(
        default=(), description="For `signed_url`: at least 32 bytes each."
    )
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: at least 32 bytes each; id beyond: 16 bytes.",
    )
    standard_webhook_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `standard_webhooks`: `whsec_` and base64 of 24 bytes or more.",
    )
    callback_api_keys: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(), description="For `body_key`: at least 16 characters each."
    )
    tolerance: types.PositiveMs = pydantic.Field(
        default=300_000,
        description="For `standard_webhooks`, and for `hmac_body` with a signed time:"
        " maximum difference between that time and our clock, in both directions; from"
        ' `"1s"` to `"2d"`.',
    )
    session_id_query: str | None = pydantic.Field(
        default=None,
        description="Query parameter that contains the session id of a GET callback.",
    )
    ping_bodies: tuple[str, ...] = pydantic.Field(
        default=('{"event":"ping"}', '{"type":"ping"}', '{"ping":"OK"}'),
        description="JSON objects. An authentic body that is no known callback and has"
        " all members of one of them is a ping of the provider: it is answered with 200"
        " and has no other effect. `{}` always is a ping.",
    )
    registered_sessions_only: bool = pydantic.Field(
        default=False,
        description="True: callbacks of sessions that you did not register decide"
        " nothing. They wait for `registration_grace` and then only appear in an hourly"
        " count.",
    )
    registration_grace: types.PositiveMs = pydantic.Field(
        default=600_000,
        description="How long such a callback waits for the registration of its"
        " session.",
    )
    reference_field: str | None = pydantic.Field(
        default=None,
        description="Field of the provider's data that contains your own id; see the"
        " provider's table.",
    )
    reference_pattern: str = pydantic.Field(
        default=r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,64}",
        description="Regular expression for your own ids. A value that does not match"
        " is not written to any record.",
    )

    @pydantic.field_validator("ping_bodies")
    @classmethod
    def _objects(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return *values* if each is a JSON object that says something."""
        for value in values:
            try:
                document = json.loads(value)
            except ValueError:
                document = None
            if not isinstance(document, dict) or not document:
                raise ValueError(
                    "must contain JSON objects that are not empty, such as"
                    ' {"event":"ping"}'
                )
        return values

    @pydantic.field_validator("tolerance")
    @classmethod
    def _tolerable(cls, value: int) -> int:
        """Return *value* if it is a difference that clocks may have."""
        if not _TOLERANCE_MIN_MS <= value <= _TOLERANCE_MAX_MS:
            raise ValueError('must be from "1s" to "2d"')
        return value

    @pydantic.field_validator("reference_pattern")
    @classmethod
    def _pattern(cls, value: str) -> str:
        """Return *value* if it is a regular expression."""
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(
                f"must be a regular expression: {error.msg} at character {error.pos}"
            ) from None
        return value
