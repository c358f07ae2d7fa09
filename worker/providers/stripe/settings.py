"""Describe one account at Stripe Identity."""

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

import pydantic

from worker import model
from worker.providers import _fields
from worker.settings import secret, sources, types, urls

BEGIN_ID = "kyc_begin_id"
REFERENCE = "client_reference_id"
_TEST_KEY = "rk_test_"


class Settings(sources.Source):
    """One account at Stripe Identity."""

    #: `whsec_` and 32 characters, stripe-python, seen 2026-12-01
    hmac_secret_min_bytes: ClassVar[int] = 32
    host_settings: ClassVar[tuple[str, ...]] = ("base_url", "js_url")

    provider: Literal["stripe"] = "stripe"
    base_url: str = pydantic.Field(
        default="https://api.stripe.com",
        description="Address of the API, without a path.",
    )
    api_key: Annotated[
        secret.AccountSecret, pydantic.AfterValidator(_fields.sendable)
    ] = pydantic.Field(
        description="Secret or restricted key, `sk_live_…` or `rk_live_…`. It needs"
        " read access to verification sessions, and write access to start them."
    )
    hmac_secrets: tuple[secret.CallerSecret, ...] = pydantic.Field(
        default=(),
        description="For `hmac_body`: signing secrets of the webhook endpoint, the"
        " whole text `whsec_…`.",
    )
    reference_field: str | None = pydantic.Field(
        default=REFERENCE,
        description="`client_reference_id`, or the key of `metadata` that contains your"
        ' own id. With `""` neither is read.',
    )
    # https://docs.stripe.com/api/versioning: without the header the account's version.
    api_version: (
        Annotated[str, pydantic.Field(pattern=r"^\d{4}-\d\d-\d\d(\.[a-z]{1,32})?\z")]
        | None
    ) = pydantic.Field(
        default=None,
        description="`Stripe-Version` of all calls. Without it the account's default"
        " applies.",
    )
    connected_account: (
        Annotated[str, pydantic.Field(pattern=r"^acct_[A-Za-z0-9]{1,64}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`Stripe-Account` of all calls: the connected account that owns the"
        " sessions, `acct_…`.",
    )
    # Public by design: Stripe.js in the page uses it.
    publishable_key: (
        Annotated[str, pydantic.Field(pattern=r"^pk_[A-Za-z0-9_]{1,250}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="`pk_live_…`, for sessions in mode `embed`. It is visible in your"
        " page.",
    )
    js_url: str = pydantic.Field(
        default="https://js.stripe.com",
        description="Host of Stripe.js for mode `embed`, without a path.",
    )
    verification_flow: (
        Annotated[str, pydantic.Field(pattern=r"^vf_[A-Za-z0-9]{1,250}\z")] | None
    ) = pydantic.Field(
        default=None,
        description="Verification flow from the Dashboard, `vf_…`, for session starts"
        " without `type` and `verification_flow`. Without it the type is `document`.",
    )
    # Whether a later success clears last_error is not documented.
    approve_with_last_error: bool = pydantic.Field(
        default=False,
        description="True: a verified session with a `last_error` is approved. False:"
        " it is pending, with an alarm.",
    )
    # Stripe's guide, seen 2026-12-01: the URL of a session expires after 48 hours.
    session_deadline: types.PositiveMs = pydantic.Field(
        default=172_800_000,
        description="Time from the registration of a session until it is fetched"
        ' without a callback. The URL of a session expires after `"48h"`.',
    )

    @property
    def default_authenticate(self) -> tuple[sources.Authenticator, ...]:
        """Return ``hmac_body``: every event is signed."""
        return ("hmac_body",)

    @pydantic.field_validator("js_url")
    @classmethod
    def _check_js_url(cls, value: str) -> str:
        return urls.check_external_url(value, path=False)

    @pydantic.field_validator("reference_field")
    @classmethod
    def _check_reference_field(cls, value: str | None) -> str | None:
        if value == BEGIN_ID:
            raise ValueError(f"must not be {BEGIN_ID}, which has another meaning")
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value):
            raise ValueError("must be a plain key of at most 40 characters")
        return value

    def conflicts(self) -> Iterable[types.FieldConflict]:
        """Yield a test key in a live source."""
        yield from super().conflicts()
        if self.environment is not model.Environment.LIVE:
            return
        sentence = "is a test key, and the source is live: use the live key"
        key = self.api_key
        if not key.withheld and key.reveal().startswith(_TEST_KEY):
            yield types.FieldConflict(("api_key", "environment"), sentence)
        if (self.publishable_key or "").startswith("pk_test_"):
            yield types.FieldConflict(("publishable_key", "environment"), sentence)
