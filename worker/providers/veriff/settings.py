"""Describe one integration at Veriff."""

from typing import Annotated, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One integration at Veriff."""

    provider: Literal["veriff"] = "veriff"
    # The Customer Portal shows the host of the integration: it is not the same for all.
    base_url: str = pydantic.Field(
        default="https://stationapi.veriff.com",
        description="Address of the API, without a path: the base URL of the"
        " integration in the Customer Portal.",
    )
    # Public by design: https://devdocs.veriff.com/apidocs/v1sessions, seen 2026-12-01,
    # also calls it the publishable key.
    api_key: Annotated[str, pydantic.Field(pattern=r"^[!-~]{1,255}\z")] = (
        pydantic.Field(
            description="API key of the integration. All calls and callbacks have it in"
            " `X-AUTH-CLIENT`."
        )
    )
    shared_secret: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(
        description="Shared secret key of the integration: signs the result call. It"
        " also signs callbacks: enter it in `hmac_secrets` too."
    )
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the shared secret key again, as plain text.",
    )
    # https://devdocs.veriff.com/apidocs/v1sessions, seen 2026-12-01.
    integration_id: (
        Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9-]{1,64}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`vrf-integration-id` of all calls. Required only with flexible API"
        " keys.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every callback is signed."""
        return ("hmac_body",)
