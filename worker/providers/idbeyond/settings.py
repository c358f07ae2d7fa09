"""Describe one organisation at id beyond (Uniicy)."""

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

import pydantic

from worker import model
from worker.providers import _fields
from worker.settings import secret, sources, types, urls

BEGIN_ID = "kyc_begin_id"
PLACEHOLDER = "{session_id}"
_SIGNED = frozenset({"hmac_body", "standard_webhooks"})
#: Segments of plain characters; one holds the session, none makes it another host.
_PATH = re.compile(
    r"(?:/[\w.~-]+)*/[\w.~-]*\{session_id\}[\w.~-]*(?:/[\w.~-]+)*/?", re.ASCII
)


class Settings(sources.Source):
    """One organisation at id beyond."""

    deadline_after_expiry: ClassVar[bool] = True
    #: the vendor's own minimum (operator starter, seen 2026-11-20)
    hmac_secret_min_bytes: ClassVar[int] = 16
    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "widget_url")

    provider: Literal["idbeyond"] = "idbeyond"
    base_url: str = pydantic.Field(
        default="https://verify.uniicy.com",
        description="Address of the API, without a path.",
    )
    hmac_secrets: tuple[secret.SharedSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: at least 16 bytes each. The API sends the first"
        " one to id beyond with every session start.",
    )
    reference_field: str | None = pydantic.Field(
        default="kyc_reference",
        description="Key of `metadata` that contains your own id; sessions started by"
        " the API set it. If `metadata` has no such key, `externalUserId` is your id."
        ' With `""` neither is read.',
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(
        description="Secret key from id beyond, `sk_live_…`: it starts sessions, and"
        ' fetches results with `result = "fetch"`.'
    )
    # "Safe to ship in the browser bundle", so no secret; the secret key never is.
    publishable_key: (
        Annotated[str, pydantic.Field(pattern=r"^pk_[A-Za-z0-9_-]{1,250}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`pk_live_…`, for sessions in mode `embed`. It is visible in your"
        " page.",
    )
    # As in the guide's snippet.
    widget_url: str = pydantic.Field(
        default="https://esm.sh/@uniicy/kyc-widget",
        description="JavaScript module that the snippet of mode `embed` imports.",
    )
    webhook_url: str | None = pydantic.Field(
        default=None,
        description="Where sessions started by the API send their callbacks instead of"
        " our ingress: your relay, with `standard_webhooks`.",
    )
    result: Literal["callback", "fetch"] = pydantic.Field(
        default="callback",
        description="`callback`: the signed callback is the verdict. `fetch`: the"
        " callback is a wake-up, and the result is fetched.",
    )
    result_path: str = pydantic.Field(
        default=f"/api/verification/sessions/{PLACEHOLDER}",
        description="Path of the result for `fetch`. It is not documented: ask the"
        " vendor.",
    )
    # As the vendor's operator starter does.
    approve_on_review_status: bool = pydantic.Field(
        default=False,
        description="True: if `decision` is missing, an approved `reviewStatus` is an"
        " approval.",
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``, the only documented callback signature of the four."""
        return ("hmac_body",)

    @property
    def fetches(self) -> bool:
        """Return whether the result is fetched; by default the callback is it."""
        return self.result == "fetch"

    @pydantic.field_validator("result_path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError("must be a plain path that holds {session_id} once")
        return path

    @pydantic.field_validator("widget_url", "webhook_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return None if value is None else urls.check_external_url(value, path=True)

    @pydantic.field_validator("reference_field")
    @classmethod
    def _check_reference_field(cls, value: str | None) -> str | None:
        if value == BEGIN_ID:
            raise ValueError(f"must not be {BEGIN_ID}, which holds something else")
        return value

    def conflicts(self) -> Iterable[types.FieldConflict]:
        """Yield a test key in a live source, and an unsigned callback as verdict."""
        yield from super().conflicts()
        live = self.environment is model.Environment.LIVE
        if live and (self.publishable_key or "").startswith("pk_test_"):
            yield types.FieldConflict(
                ("publishable_key", "environment"),
                "is a test key, and the source is live: use the live key",
            )
        if not self.fetches and not _SIGNED & set(self.authenticators):
            yield types.FieldConflict(
                ("authenticate", "result"),
                "must hold hmac_body or standard_webhooks: with result = "
                '"callback" the callback itself is the verdict',
            )
