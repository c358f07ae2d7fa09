"""Describe one flow at Biometric.kz."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, urls

#: Flow Widget guide, seen 2026-11-21: "currently implemented languages"
Locale = Literal["ru", "en", "kz"]


class Polling(sources.Polling):
    """
    Fast polls once a person is done: results lag behind by seconds.

    Seen in an integration, 2026-11-20: it asks after 5 s and every 3 s, 15 times.
    """

    times: int = pydantic.Field(
        default=15,
        ge=0,
        le=1_000,
        description="Maximum number of these polls; then `not_ready` and"
        " `recheck_pending` apply.",
    )


class Settings(sources.Source):
    """One flow at Biometric.kz."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "remote_url")

    provider: Literal["biometric"] = "biometric"
    base_url: str = pydantic.Field(
        default="https://kyc.biometric.kz",
        description="Address of the API, without a path.",
    )
    flow_api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API key of the flow.")
    polling: Polling = Polling()
    approve_without_status: bool = pydantic.Field(
        default=False,
        description="True: approve a result with successful parts and no `status`, as"
        " shown in one edition of the vendor's guide.",
    )
    gbdfl_status_field: str = pydantic.Field(
        default="status",
        description="Field of `gbdfl_result` that contains the status of the consent."
        " It is not documented: ask the vendor.",
    )
    remote_url: str = pydantic.Field(
        default="https://remote.biometric.kz",
        description="Host of the hosted flow, which end users are sent to, and of the"
        " widget's script; without a path.",
    )
    widget_locale: Locale = pydantic.Field(
        default="ru",
        description="Language of the widget, which requires one, if the session start"
        " contains no `language`.",
    )
    max_photo_bytes: int = pydantic.Field(
        default=4 << 20,
        ge=1,
        le=16 << 20,
        description="Maximum size of a photo in a session start, before base64.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``signed_url``: no signature, secret or address list is documented."""
        return ("signed_url",)

    @pydantic.field_validator("remote_url")
    @classmethod
    def _check_remote(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)
