"""Describe one Plaid client in one of Plaid's environments."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One client at Plaid."""

    fetches_keys: ClassVar[bool] = True

    provider: Literal["plaid"] = "plaid"
    base_url: str = pydantic.Field(
        default="https://production.plaid.com",
        description="Address of the API, without a path. Sandbox:"
        " `https://sandbox.plaid.com`.",
    )
    client_id: Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9]{1,64}\z")] = (
        pydantic.Field(description="`client_id` of the client.")
    )
    client_secret: Annotated[
        secret.KeyAccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="`secret` of the environment.")

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: the JWT in ``Plaid-Verification``."""
        return ("hmac_body",)
