"""Describe one application at Ondato."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, types, urls

_DAY_AND_RETRIES = 25 * 3_600_000


class Settings(sources.Source):
    """One application at Ondato."""

    host_settings: ClassVar[tuple[str, ...]] = (
        "base_url",
        "identification_url",
        "auth_url",
    )

    provider: Literal["ondato"] = "ondato"
    # Second-hand, from public clients, as the other two hosts; seen 2026-12-01.
    base_url: str = pydantic.Field(
        default="https://idvapi.ondato.com",
        description="Address of the API of identity verifications, without a path."
        " Sandbox: `https://sandbox-idvapi.ondato.com`.",
    )
    identification_url: str = pydantic.Field(
        default="https://kycid.ondato.com",
        description="Address of the API of KYC identifications, without a path."
        " Sandbox: `https://sandbox-kycid.ondato.com`.",
    )
    auth_url: str = pydantic.Field(
        default="https://id.ondato.com",
        description="Address of the token endpoint, without a path. Sandbox:"
        " `https://sandbox-id.ondato.com`.",
    )
    client_id: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Client id of the OAuth2 client.")
    client_secret: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Client secret that belongs to `client_id`.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the secret of the webhook.",
    )
    # Retries go on for 24 hours, and the time that they sign seems to be that of the
    # first attempt (a public integration, seen 2026-11-20).
    tolerance: types.PositiveMs = pydantic.Field(
        default=_DAY_AND_RETRIES,
        description="How old or early the signed time of a callback may be.",
    )
    # A guess: no public document has the response of an identity verification.
    identification_field: Annotated[
        str, pydantic.Field(pattern=r"^[A-Za-z]{1,64}\z")
    ] = pydantic.Field(
        default="kycIdentificationId",
        description="Member of an identity verification that contains the id of its KYC"
        " identification. Without it a completed verification stays pending.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: set ``basic`` where Ondato sends a password."""
        return ("hmac_body",)

    @pydantic.field_validator("identification_url", "auth_url")
    @classmethod
    def _check_hosts(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)
