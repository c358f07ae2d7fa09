"""Hold what begins a session at a provider: the request, the answer, the intent."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any


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
class Begun:
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
