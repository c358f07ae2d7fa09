"""Describe one account at AiPrise."""

from typing import Annotated, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One account at AiPrise."""

    provider: Literal["aiprise"] = "aiprise"
    # https://docs.aiprise.com/docs/overview-2, seen 2026-11-20.
    base_url: str = pydantic.Field(
        default="https://api.aiprise.com",
        description="Address of the API, without a path. Sandbox:"
        " `https://api-sandbox.aiprise.com`.",
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(
        description="API key of the account. It also signs callbacks: enter it in"
        " `hmac_secrets` too."
    )
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the API key again. A rotation of the key changes"
        " both.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every callback is signed."""
        return ("hmac_body",)
