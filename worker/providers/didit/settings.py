"""Describe one application at Didit."""

from typing import Annotated, ClassVar, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources

_UUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z"


class Settings(sources.Source):
    """One application at Didit."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url",)

    provider: Literal["didit"] = "didit"
    base_url: str = pydantic.Field(
        default="https://verification.didit.me",
        description="Address of the API, without a path.",
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API key of the application.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the secret key of the webhook destination. A"
        " rotation at Didit invalidates the old one at once: enter both here for the"
        " time of the switch.",
    )
    workflow_id: Annotated[str, pydantic.Field(pattern=_UUID)] | None = pydantic.Field(
        default=None,
        description="Workflow of session starts without `workflow_id`, a UUID.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every event is signed."""
        return ("hmac_body",)
