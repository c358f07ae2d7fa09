"""Describe one environment at Persona."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, urls


class Settings(sources.Source):
    """One environment at Persona."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "hosted_url")

    provider: Literal["persona"] = "persona"
    base_url: str = pydantic.Field(
        default="https://api.withpersona.com",
        description="Address of the API, without a path.",
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API key of the environment.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: secrets of the webhook, the whole text"
        " `wbhsec_…`.",
    )
    # https://docs.withpersona.com/api-reference/versioning, seen 2026-12-01.
    api_version: (
        Annotated[str, pydantic.Field(pattern=r"^\d{4}-\d\d-\d\d\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`Persona-Version` of all calls. Without it the API key's version"
        " applies.",
    )
    approve_completed: bool = pydantic.Field(
        default=False,
        description="True: a `completed` inquiry is approved. Set it only if no"
        " workflow approves or declines inquiries after their completion.",
    )
    inquiry_template_id: (
        Annotated[str, pydantic.Field(pattern=r"^itmplv?_[A-Za-z0-9]{1,200}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="Template of session starts without `inquiry-template-id`,"
        " `itmpl_…`.",
    )
    # Which of Persona's hosts serves the flow is a setting: documents differ.
    hosted_url: str = pydantic.Field(
        default="https://inquiry.withpersona.com",
        description="Host of the hosted flow, which end users are sent to; without a"
        " path.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every event is signed."""
        return ("hmac_body",)

    @pydantic.field_validator("hosted_url")
    @classmethod
    def _check_hosted_url(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)
