"""Describe one account at Shufti Pro."""

from typing import Annotated, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One account at Shufti Pro."""

    provider: Literal["shuftipro"] = "shuftipro"
    base_url: str = pydantic.Field(
        default="https://api.shuftipro.com",
        description="Address of the API, without a path.",
    )
    client_id: Annotated[str, pydantic.Field(pattern=r"^[!-9;-~]{1,255}\z")] = (
        pydantic.Field(description="Client id of the account.")
    )
    secret_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(
        description="Secret key of the account. It also signs callbacks: enter it in"
        " `hmac_secrets` too."
    )
    signature_recipe: Literal["hashed_secret", "plain_secret"] = pydantic.Field(
        default="hashed_secret",
        description="What follows the body in the signed text: the SHA-256 of the"
        " secret key, or the key itself (accounts from before 15 March 2023).",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: the header ``Signature``."""
        return ("hmac_body",)
