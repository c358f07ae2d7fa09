"""Describe one flow at Biometric.kz."""

from typing import Annotated, Literal

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

    times: Annotated[int, pydantic.Field(ge=0, le=1_000)] = 15


class Settings(sources.Source):
    """One flow at Biometric.kz."""

    provider: Literal["biometric"] = "biometric"
    base_url: str = "https://kyc.biometric.kz"
    flow_api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ]
    polling: Polling = Polling()
    #: believe a result that has good parts and no ``status``, as the seed guide's has
    approve_without_status: bool = False
    #: the field of ``gbdfl_result`` that holds the consent's status: not documented
    gbdfl_status_field: str = "status"
    #: where the hosted flow and the widget's script are
    remote_url: str = "https://remote.biometric.kz"
    #: of the widget, which must have one, where a begin names no language
    widget_locale: Locale = "ru"
    #: of a photo to match with, before it was written in base64
    max_photo_bytes: Annotated[int, pydantic.Field(ge=1, le=16 << 20)] = 4 << 20

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``signed_url``: no signature, secret or address list is documented."""
        return ("signed_url",)

    @pydantic.field_validator("remote_url")
    @classmethod
    def _check_remote(cls, value: str) -> str:
        return urls.outside(value, path=False)
