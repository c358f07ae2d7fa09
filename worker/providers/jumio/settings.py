"""Describe one tenant at Jumio."""

import urllib.parse
from typing import Annotated, ClassVar, Literal, Self

import pydantic

from worker.providers import _fields
from worker.settings import secret, sources, types, urls

_RETRIEVAL = "retrieval."
_MINUTE = 60_000


def _user_part(value: types.Secret) -> types.Secret:
    """Return *value* if it can be the user of HTTP Basic: without a colon."""
    if not value.withheld and ":" in value.reveal():
        raise ValueError("must not contain a colon")
    return value


class Settings(sources.Source):
    """One tenant at Jumio."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "auth_url", "account_url")
    deadline_after_expiry: ClassVar[bool] = True

    provider: Literal["jumio"] = "jumio"
    base_url: str = pydantic.Field(
        default="https://retrieval.amer-1.jumio.ai",
        description="Address of the retrieval API of your region, without a path. EU:"
        " `https://retrieval.emea-1.jumio.ai`, Singapore:"
        " `https://retrieval.apac-1.jumio.ai`.",
    )
    auth_url: str | None = pydantic.Field(
        default=None,
        description="Address of the token endpoint, without a path. Default:"
        " `base_url` with `auth.` for `retrieval.`.",
    )
    account_url: str | None = pydantic.Field(
        default=None,
        description="Address of the API that starts sessions, without a path. Default:"
        " `base_url` with `account.` for `retrieval.`.",
    )
    client_id: Annotated[
        secret.AccountSecret,
        pydantic.AfterValidator(_fields.sendable),
        pydantic.AfterValidator(_user_part),
    ] = pydantic.Field(description="Client id of your OAuth2 client (API token).")
    client_secret: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="Client secret that belongs to `client_id`.")
    user_agent: (
        Annotated[str, pydantic.Field(pattern=r"^[!-~](?:[ -~]{0,198}[!-~])?\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`User-Agent` of our calls. Jumio asks for the name of your"
        " company: `YourCompany kyc-worker/1.0`.",
    )
    workflow_keys: tuple[Annotated[int, pydantic.Field(ge=1, le=999_999_999)], ...] = (
        pydantic.Field(
            min_length=1,
            description="Keys of the workflows whose results decide; sessions started"
            " by the API run the first. A result of another workflow is pending.",
        )
    )
    token_lifetime: Annotated[
        types.PositiveMs, pydantic.Field(ge=5 * _MINUTE, le=60 * 24 * 60 * _MINUTE)
    ] = pydantic.Field(
        default=30 * _MINUTE,
        description="How long a started session can be entered: 5 minutes to 60 days.",
    )
    max_url_length: int = pydantic.Field(
        default=255,
        ge=1,
        le=4096,
        description="Maximum length of an address that Jumio accepts in a session"
        " start. A longer return address is left out, with a warning.",
    )
    reference_field: Literal["customerInternalReference", "userReference"] | None = (
        pydantic.Field(
            default="userReference",
            description="Field that contains your own id; sessions started by the API"
            " set both. A callback only has `userReference`.",
        )
    )
    approve_with_rejected_capabilities: bool = pydantic.Field(
        default=False,
        description="True: `PASSED` is an approval although a capability is `REJECTED`"
        " (your rules allow it). False: such a result is pending, with an alarm.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``signed_url``: Jumio signs nothing."""
        return ("signed_url",)

    @property
    def token_host(self) -> str:
        """Return where tokens are requested."""
        return self.auth_url or self._sibling("auth") or self.base_url

    @property
    def start_host(self) -> str:
        """Return where sessions are started."""
        return self.account_url or self._sibling("account") or self.base_url

    def _sibling(self, service: str) -> str | None:
        """Return the host of another service in the region, None if not derivable."""
        host = urllib.parse.urlsplit(self.base_url).netloc
        if not host.startswith(_RETRIEVAL):
            return None
        return f"https://{service}.{host.removeprefix(_RETRIEVAL)}"

    @pydantic.field_validator("auth_url", "account_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return None if value is None else urls.check_external_url(value, path=False)

    @pydantic.model_validator(mode="after")
    def _check_hosts(self) -> Self:
        if urls.loopback(self.base_url) or self._sibling("auth"):
            return self  # a simulator plays all of them
        if self.auth_url is None or self.account_url is None:
            raise ValueError(
                "auth_url and account_url must be set: base_url is not one of Jumio's"
            )
        return self
