"""Hold what begins a session at a provider: the request, the answer, the intent."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from worker.model import enums


class BeginMode(enum.StrEnum):
    """How the person gets to the provider."""

    REDIRECT = "redirect"  #: sent to the provider's address, and back
    EMBED = "embed"  #: the provider's page inside of the company's


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BeginRequest:
    """
    One session to be begun, checked in everything but the provider's own affairs.

    *return_address* and *webhook_url* are ours and hold a ticket and a token;
    *provider_params* are the caller's and may hold personal data: none of them is
    in ``repr``.
    """

    source: str
    #: names the intent; comes back from providers that echo what they were given
    begin_id: str
    reference: str
    mode: BeginMode
    return_address: str | None = dataclasses.field(default=None, repr=False)
    webhook_url: str | None = dataclasses.field(default=None, repr=False)
    language: str | None = None
    provider_params: Mapping[str, Any] = dataclasses.field(
        default_factory=dict, repr=False
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StartedSession:
    """
    A session that a provider has begun; *url* and *embed* are credentials.

    They go into the one answer to the caller, and nowhere else.
    """

    session_id: str  #: canonical
    provider_session_id: str  #: as the provider spelt it
    url: str | None = dataclasses.field(default=None, repr=False)
    #: the snippet that the provider documents
    embed: str | None = dataclasses.field(default=None, repr=False)
    expires_at: int | None = None
    #: what else the provider said that a caller needs (ordered technologies)
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    #: sentences about parameters that were passed on unchecked
    warnings: tuple[str, ...] = ()


class BeginStage(enum.StrEnum):
    """How far a begin has come."""

    INTENDED = "intended"  #: the provider is about to be called, or was
    REGISTERED = "registered"  #: the session is known, and registered with the worker
    FAILED = "failed"  #: nothing was begun; its key is free again


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """
    One attempt to begin a session, as it stands in ``kyc.begins``; holds no credential.

    *attempt_id* distinguishes attempts with the same *begin_id*: of several that are
    under way at once, the one whose record has the lowest offset counts.
    """

    source: str
    provider: str
    environment: enums.Environment
    begin_id: str
    attempt_id: str
    reference: str
    begun_at: int
    #: keyed, of what was asked with an Idempotency-Key; None without one
    request_digest: str | None = None
    stage: BeginStage = BeginStage.INTENDED
    ended_at: int | None = None
    #: both of a registered one
    session_id: str | None = None
    provider_session_id: str | None = None
    expires_at: int | None = None

    @property
    def key(self) -> str:
        """Return the key of its records."""
        return f"{self.source}:{self.begin_id}"

    @property
    def open(self) -> bool:
        """Return whether its end is not recorded yet."""
        return self.stage is BeginStage.INTENDED

    def registered(
        self,
        at: int,
        *,
        session_id: str,
        provider_session_id: str,
        expires_at: int | None = None,
    ) -> "Intent":
        """Return the same with its session."""
        return dataclasses.replace(
            self,
            stage=BeginStage.REGISTERED,
            ended_at=at,
            session_id=session_id,
            provider_session_id=provider_session_id,
            expires_at=expires_at,
        )

    def failed(self, at: int) -> "Intent":
        """Return the same, of which nothing came."""
        return dataclasses.replace(self, stage=BeginStage.FAILED, ended_at=at)
