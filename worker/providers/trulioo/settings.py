"""Describe one account at Trulioo (Workflow Studio)."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, urls

_Name = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}\z")]
_Word = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z][A-Za-z0-9_ -]{0,63}\z")]


class Settings(sources.Source):
    """One account at Trulioo (Workflow Studio)."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "auth_url")

    provider: Literal["trulioo"] = "trulioo"
    # Second-hand, from three public clients, seen 2026-11-20.
    base_url: str = pydantic.Field(
        default="https://api.trulioo.com",
        description="Address of the export API, without a path.",
    )
    # No public document names it, so there is no default.
    auth_url: str = pydantic.Field(
        description="Address of the token endpoint, without a path, as Trulioo names it"
        " for your account."
    )
    token_path: Annotated[
        str, pydantic.Field(pattern=r"^/[A-Za-z0-9._/-]{1,200}\z")
    ] = pydantic.Field(
        default="/connect/token", description="Path of the token endpoint; a guess."
    )
    client_id: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Client id of the OAuth2 client.")
    client_secret: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Client secret that belongs to `client_id`.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the key that Trulioo's support gives out.",
    )
    id_field: _Name = pydantic.Field(
        default="clientId",
        description="Member of an exported client that contains its id; a guess."
        " Without it no result is believed.",
    )
    status_field: _Name = pydantic.Field(
        default="status",
        description="Member of an exported client that contains its status; a guess.",
    )
    approved_statuses: tuple[_Word, ...] = pydantic.Field(
        default=(),
        description="More statuses that mean approved: Trulioo does not publish them.",
    )
    rejected_statuses: tuple[_Word, ...] = pydantic.Field(
        default=(), description="More statuses that mean rejected."
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every event is signed."""
        return ("hmac_body",)

    @pydantic.field_validator("auth_url")
    @classmethod
    def _check_auth_url(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)
