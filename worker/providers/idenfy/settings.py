"""Describe one account at iDenfy."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, types, urls


def _user_part(value: types.Secret) -> types.Secret:
    """Return *value* if it can be the user of HTTP Basic: without a colon."""
    if not value.withheld and ":" in value.reveal():
        raise ValueError("must not contain a colon")
    return value


class Settings(sources.Source):
    """One account at iDenfy."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "ui_url")
    deadline_after_expiry: ClassVar[bool] = True
    # The dashboard accepts a key of your choice; its shortest length is not documented.
    hmac_secret_min_bytes: ClassVar[int] = 16

    provider: Literal["idenfy"] = "idenfy"
    base_url: str = pydantic.Field(
        default="https://ivs.idenfy.com",
        description="Address of the API, without a path.",
    )
    api_key: Annotated[
        secret.AccountSecret,
        pydantic.AfterValidator(_fields.sendable),
        pydantic.AfterValidator(_user_part),
    ] = pydantic.Field(
        description="API key: starts sessions and fetches results (HTTP Basic)."
    )
    api_secret: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API secret that belongs to `api_key`.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the signing keys of your webhook notifications,"
        " at least 16 bytes each. iDenfy has one key per notification: list all.",
    )
    reference_field: Literal["clientId"] | None = pydantic.Field(
        default="clientId",
        description="Field that contains your own id; sessions started by the API set"
        " it.",
    )
    ui_url: str = pydantic.Field(
        default="https://ui.idenfy.com",
        description="Address that end users are sent to if iDenfy does not return one,"
        " without a path.",
    )
    product: Literal["identification", "document"] = pydantic.Field(
        default="identification",
        description="What a session checks: `identification` (document and selfie) or"
        " `document`. An approval of an `identification` requires a matching face.",
    )
    review_successful: bool = pydantic.Field(
        default=True,
        description="True: iDenfy's reviewers check sessions that passed. An automatic"
        " approval without `final` stays pending until their result.",
    )
    review_failed: bool = pydantic.Field(
        default=True,
        description="True: iDenfy's reviewers check sessions that failed. An automatic"
        " rejection without `final` stays pending until their result.",
    )
    approve_with_tags: bool = pydantic.Field(
        default=False,
        description="True: `APPROVED` with `fraudTags` or `mismatchTags` is an approval"
        " (staff resolved a suspected session in the dashboard). False: it is"
        " pending.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: iDenfy signs the raw body."""
        return ("hmac_body",)

    @pydantic.field_validator("ui_url")
    @classmethod
    def _check_ui_url(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)
