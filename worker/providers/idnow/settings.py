"""Describe one company at IDnow."""

import re
import urllib.parse
from typing import Annotated, ClassVar, Literal, Self

import pydantic

from worker import model
from worker.providers import _fields
from worker.settings import secret, sources, types, urls

_SECRET_MIN_BYTES = 32
_GATEWAY = "gateway."
_TEST_HOSTS = re.compile(r"(.*\.)?test\.idnow\.de")


def _long_enough(value: types.Secret) -> types.Secret:
    if not value.withheld and len(value.key()) < _SECRET_MIN_BYTES:
        raise ValueError(f"must be at least {_SECRET_MIN_BYTES} random bytes")
    return value


class Settings(sources.Source):
    """One company at IDnow."""

    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "go_url")

    provider: Literal["idnow"] = "idnow"
    # White-label customers have hosts of their own (chapter 3.2.2).
    base_url: str = pydantic.Field(
        default="https://gateway.idnow.de",
        description="Address of the API, without a path. Test system:"
        " `https://gateway.test.idnow.de`.",
    )
    session_deadline: types.PositiveMs = pydantic.Field(
        default=14 * 86_400_000,
        description="Time from the registration of a session until it is fetched"
        " without a callback.",
    )
    # No alphabet is documented: what cannot be a segment of a path is refused.
    company_id: str = pydantic.Field(
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._~-]{0,254}\z",
        description="Id of your company at IDnow.",
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(description="API key that starts sessions and fetches results.")
    reference_field: (
        Literal["custom1", "custom2", "custom3", "custom4", "custom5", "trackingid"]
        | None
    ) = pydantic.Field(
        default=None,
        description="Field of `customdata` that contains your own id. Sessions started"
        " by the API set it.",
    )
    go_url: str | None = pydantic.Field(
        default=None,
        description="Address that end users are sent to, without a path. Default:"
        " `base_url` with `go.` for `gateway.`; set it with a white-label host.",
    )
    number_secret: (
        Annotated[secret.ApiSecret, pydantic.AfterValidator(_long_enough)] | None
    ) = pydantic.Field(
        default=None,
        description="Secret of at least 32 bytes; transaction numbers are an HMAC with"
        " it. Default: a key derived from `api_key`. Do not change it (or, without it,"
        " `api_key`) while a session start is unresolved.",
    )
    # The documentation has no language; a bank's client sends ``preferredLang``.
    language_field: (
        Annotated[str, pydantic.Field(pattern=r"^[A-Za-z]{1,40}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="Field of the request that carries `language`. None is documented;"
        " `preferredLang` is in use.",
    )
    begin_fields: tuple[
        Annotated[str, pydantic.Field(pattern=r"^[A-Za-z][A-Za-z_-]{0,39}[0-9]?\z")],
        ...,
    ] = pydantic.Field(
        default=(),
        description="Names of `provider_params` that your account accepts beyond the"
        " documented ones; they are sent with a warning.",
    )
    product: Literal["ident", "esign"] = pydantic.Field(
        default="ident",
        description="`esign`: an approval requires a successful `esigning`.",
    )
    list_interval: types.PositiveMs = pydantic.Field(
        default=60_000,
        description="Minimum time between two fetches of the company-wide lists of"
        " aborted, cancelled and pending sessions. A list answers only wake-ups that"
        " are older than its fetch.",
    )
    max_list_bytes: int = pydantic.Field(
        default=32 << 20,
        ge=1,
        le=256 << 20,
        description="Maximum size of one such list; a larger one is an error.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``signed_url``: no signature of callbacks is documented."""
        return ("signed_url",)

    @pydantic.model_validator(mode="after")
    def _check_host(self) -> Self:
        live = self.environment is model.Environment.LIVE
        for name, url in (("base_url", self.base_url), ("go_url", self.go_url)):
            if live and url and _TEST_HOSTS.fullmatch(urls.host_of(url)):
                raise ValueError(f"{name} is IDnow's test host, and the source is live")
        return self

    @pydantic.field_validator("go_url")
    @classmethod
    def _check_go_url(cls, value: str | None) -> str | None:
        return None if value is None else urls.check_external_url(value, path=False)

    @property
    def pages(self) -> str | None:
        """Return where persons are sent to, None where that is not known."""
        if self.go_url is not None:
            return self.go_url
        parts = urllib.parse.urlsplit(self.base_url)
        if urls.loopback(self.base_url):
            return self.base_url  # a simulator plays both
        if not parts.netloc.startswith(_GATEWAY):
            return None
        return f"https://go.{parts.netloc.removeprefix(_GATEWAY)}"
