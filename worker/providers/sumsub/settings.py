"""Describe one client at Sumsub."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources

LEVEL = r"[A-Za-z0-9._-]{1,64}"


class Settings(sources.Source):
    """One client at Sumsub."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url",)

    provider: Literal["sumsub"] = "sumsub"
    base_url: str = pydantic.Field(
        default="https://api.sumsub.com",
        description="Address of the API, without a path.",
    )
    app_token: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="App token, `sbx:…` or `prd:…`.")
    secret_key: secret.AccountSecret = pydantic.Field(
        description="Secret key of the app token, which signs our requests."
    )
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: secret keys of the webhook.",
    )
    # https://docs.sumsub.com/docs/webhook-manager, seen 2026-11-20. The header with
    # the name of the algorithm is not signed, so it does not choose it.
    webhook_digest: Literal["sha1", "sha256", "sha512"] = pydantic.Field(
        default="sha256",
        description="The signature algorithm that the webhook has at Sumsub. Callbacks"
        " with another one are refused.",
    )
    level_name: Annotated[str, pydantic.Field(pattern=rf"^{LEVEL}\z")] | None = (
        pydantic.Field(
            default=None,
            description="Level of session starts without `levelName`; its name without"
            " spaces.",
        )
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every callback is signed."""
        return ("hmac_body",)
