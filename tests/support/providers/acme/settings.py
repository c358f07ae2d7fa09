"""Describe one account at Acme."""

from typing import Annotated, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One account at Acme."""

    provider: Literal["acme"] = "acme"
    base_url: str = pydantic.Field(
        default="https://api.acme.example", description="Address of the API."
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Key of the API.")
    digest: Literal["sha256", "sha512"] = pydantic.Field(
        default="sha256", description="Digest of the callback's signature."
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``."""
        return ("hmac_body",)
