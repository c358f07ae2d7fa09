"""Describe one account at Onfido (Entrust)."""

from typing import Annotated, Literal

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources


class Settings(sources.Source):
    """One account at Onfido, in one region."""

    provider: Literal["onfido"] = "onfido"
    # onfido/onfido-openapi-spec, openapi.yaml: three regions; seen 2026-12-01.
    base_url: str = pydantic.Field(
        default="https://api.eu.onfido.com",
        description="Address of the API in the region of the account, without a path:"
        " `https://api.eu.onfido.com`, `https://api.us.onfido.com` or"
        " `https://api.ca.onfido.com`.",
    )
    api_token: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API token of the account.")
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: the token that Onfido shows when the webhook is"
        " created.",
    )
    resource: Literal["workflow_run", "check"] = pydantic.Field(
        default="workflow_run",
        description="What a session is: a `workflow_run` of Onfido Studio, or a classic"
        " `check`. Events of the other kind are ignored.",
    )
    reject_consider: bool = pydantic.Field(
        default=False,
        description="True: a complete check with the result `consider` is rejected."
        " By default it is pending, because a person has to look at it.",
    )
    workflow_id: (
        Annotated[
            str,
            pydantic.Field(
                pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\z"
            ),
        ]
        | None
    ) = pydantic.Field(
        default=None,
        description="Workflow of session starts without `workflow_id`, a UUID.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every event is signed."""
        return ("hmac_body",)
