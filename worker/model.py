"""
Hold the values that everything else speaks in.

Times are integers, milliseconds since the epoch, UTC; only the codec writes
them as RFC 3339. Nothing here has a field for personal data, except
``Callback`` and ``Answer``, whose bodies stay out of ``repr``.
"""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

POSITION_KEY = "__position"


class Environment(enum.StrEnum):
    """Where a source's persons come from."""

    TEST = "test"
    LIVE = "live"


class Outcome(enum.StrEnum):
    """What a decision says; approved and rejected are final, pending never is."""

    APPROVED = "approved"
    REJECTED = "rejected"
    PENDING = "pending"


class Reason(enum.StrEnum):
    """Why, in a closed vocabulary that is the same for every provider."""

    VERIFIED = "verified"
    IN_PROGRESS = "in_progress"
    UNDER_REVIEW = "under_review"
    RESUBMISSION_REQUESTED = "resubmission_requested"
    REOPENED = "reopened"  #: reserved
    UNRECOGNISED_RESULT = "unrecognised_result"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    REFERENCE_MISMATCH = "reference_mismatch"
    DOCUMENT_INVALID = "document_invalid"
    DOCUMENT_EXPIRED = "document_expired"
    DATA_MISMATCH = "data_mismatch"
    BIOMETRIC_FAILED = "biometric_failed"
    FRAUD = "fraud"
    SCREENING_HIT = "screening_hit"
    NOT_ELIGIBLE = "not_eligible"
    CONSENT_REFUSED = "consent_refused"
    TECHNICAL_FAILURE = "technical_failure"
    NOT_COMPLETED = "not_completed"
    APPROVAL_EXPIRED = "approval_expired"
    DECLINED = "declined"
    MANUAL_OVERRIDE = "manual_override"  #: reserved


class NextStep(enum.StrEnum):
    """What the company's service may do now."""

    NONE = "none"
    WAIT = "wait"
    CONTINUE_SESSION = "continue_session"
    NEW_SESSION = "new_session"


class Flag(enum.StrEnum):
    """What is worth knowing beside the outcome."""

    DATA_CHANGED = "data_changed"
    UNCONFIRMED = "unconfirmed"
    LIKELY_APPROVED = "likely_approved"
    FRAUD_SUSPECTED = "fraud_suspected"


class CauseType(enum.StrEnum):
    """What made us look."""

    CALLBACK = "callback"
    REGISTRATION = "registration"
    RETURN = "return"
    POLL = "poll"
    RECHECK = "recheck"
    OPERATOR = "operator"  #: reserved


class EventType(enum.StrEnum):
    """What ``kyc.events`` carries: ``ce_type`` less its prefix and version."""

    CALLBACK_RECEIVED = "callback.received"
    SESSION_REGISTERED = "session.registered"
    SESSION_RETURNED = "session.returned"
    RECHECK_REQUESTED = "recheck.requested"


class AlarmKind(enum.StrEnum):
    """Every alarm there is; RUNBOOK.md says of each what to do."""

    ACCOUNT_REFUSED = "account_refused"
    BAD_RESULT_SIGNATURE = "bad_result_signature"
    CONFLICTING_FINAL = "conflicting_final"
    CONTRADICTORY_RESULT = "contradictory_result"
    DENIED_BUDGET = "denied_budget"
    FETCH_EXHAUSTED = "fetch_exhausted"
    HINT_DIFFERS = "hint_differs"
    MESSAGE_UNDELIVERED = "message_undelivered"
    POSITION_LOST = "position_lost"
    QUARANTINED = "quarantined"
    RECORD_TOO_LARGE = "record_too_large"
    REFERENCE_MISMATCH = "reference_mismatch"
    RESULT_MISMATCH = "result_mismatch"
    SUBSCRIPTION = "subscription"
    TOPIC_MISMATCH = "topic_mismatch"
    UNKNOWN_SOURCE = "unknown_source"
    UNKNOWN_VERSION = "unknown_version"
    UNMAPPABLE_CALLBACK = "unmappable_callback"
    UNRECOGNISED_RESULT = "unrecognised_result"


class DeadLetterReason(enum.StrEnum):
    """Why something could not be decided."""

    UNMAPPABLE = "unmappable"
    STALE = "stale"
    CONFLICTING_FINAL = "conflicting_final"
    FETCH_EXHAUSTED = "fetch_exhausted"
    RESULT_MISMATCH = "result_mismatch"
    BAD_RESULT_SIGNATURE = "bad_result_signature"
    QUARANTINED = "quarantined"
    DENIED_SESSIONS = "denied_sessions"
    UNKNOWN_SESSIONS = "unknown_sessions"


class SessionKey(NamedTuple):
    """A session's identity: the source is part of it."""

    source: str
    session_id: str

    def __str__(self) -> str:
        """Return the key of every record of this session."""
        return f"{self.source}:{self.session_id}"

    @classmethod
    def parse(cls, text: str) -> "SessionKey":
        """Return the key that *text* spells; source names hold no colon."""
        source, _, session_id = text.partition(":")
        return cls(source, session_id)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A request at the webhook endpoint, not yet believed; bodies stay out of repr."""

    source: str
    method: str
    #: lower-case names, in the order received, with repeats
    headers: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)
    token: str | None = dataclasses.field(default=None, repr=False)
    query: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    remote: str | None = dataclasses.field(default=None, repr=False)
    received_at: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCallback:
    """
    A callback that every authenticator of its source has passed.

    *document* is the parsed body, less ``callbackApiKey``, or None for a GET.
    Built by the ingress's verification alone.
    """

    source: str
    document: dict[str, Any] | None = dataclasses.field(repr=False)
    query: Mapping[str, str] = dataclasses.field(repr=False)
    #: SHA-256 of the body as signed (less the body key), hex
    digest: str
    received_at: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """What a provider's table made of a verified callback: look at this session."""

    session_id: str  #: canonical
    provider_session_id: str  #: as the provider spelt it
    provider_event: str  #: their word if our table has it, else ``unlisted``
    provider_event_id: str | None = None  #: only where the provider promises one
    provider_time: int | None = None
    reference: str | None = None
    #: the words of the provider's table that the callback held; no free text
    claim: Mapping[str, str | None] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Ignored:
    """An authentic message that decides nothing; answered 200 ``ignored``."""

    provider_event: str


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A one-time message that somebody must deliver (Identomat); stored nowhere."""

    provider_event: str
    document: dict[str, Any] = dataclasses.field(repr=False)


Normalised = Wake | Ignored | Message


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record of ``kyc.events``."""

    event_id: str
    type: EventType
    environment: Environment
    source: str
    provider: str
    session_id: str
    provider_session_id: str
    received_at: int
    provider_event: str = "unlisted"
    provider_event_id: str | None = None
    provider_time: int | None = None
    reference: str | None = None
    digest: str | None = None
    claim: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    traceparent: str | None = None

    @property
    def key(self) -> SessionKey:
        """Return the session's identity."""
        return SessionKey(self.source, self.session_id)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a provider's word means; made by ``policy`` alone."""

    outcome: Outcome
    reason: Reason
    retryable: bool
    next_step: NextStep
    flags: tuple[Flag, ...] = ()  #: sorted
    provider_status: str | None = None  #: their word if listed, else ``unlisted``
    provider_reason: str | None = None
    provider_time: int | None = None

    @property
    def final(self) -> bool:
        """Approved and rejected are final, pending never is."""
        return self.outcome is not Outcome.PENDING

    @property
    def substance(self) -> tuple[object, ...]:
        """Return what makes a new revision when it changes."""
        return (self.outcome, self.reason, self.retryable, self.next_step, self.flags)


class ClaimKind(enum.StrEnum):
    """How much a callback's own words prove."""

    SIGNED = "signed"  #: the provider's signed word is its only result
    UNCONFIRMED = "unconfirmed"  #: holds only if the result is gone at the provider
    HINT = "hint"  #: compared with the fetched result, and no more


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What a callback itself says, and how much that proves."""

    kind: ClaimKind
    verdict: Verdict
    alarms: tuple[AlarmKind, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A provider's answer about one session, bounded in size, not yet mapped."""

    document: Any = dataclasses.field(repr=False)
    observed_at: int
    #: a word of the adapter's own about where it was found (IDnow's lists)
    origin: str = "result"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A mapped answer."""

    verdict: Verdict
    observed_at: int
    reference: str | None = None
    alarms: tuple[AlarmKind, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What made us look, as the decision tells it."""

    type: CauseType
    event_id: str | None = None
    received_at: int | None = None
    traceparent: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One record of the decision topics."""

    decision_id: str
    environment: Environment
    source: str
    provider: str
    session_id: str
    provider_session_id: str
    reference: str | None
    revision: int
    verdict: Verdict
    supersedes: str | None
    cause: Cause
    observed_at: int | None
    decided_at: int

    @property
    def key(self) -> SessionKey:
        """Return the session's identity."""
        return SessionKey(self.source, self.session_id)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record of ``kyc.dlq``; holds no value of a callback or an answer."""

    dead_letter_id: str
    reason: DeadLetterReason
    source: str
    session_id: str | None
    event_id: str | None
    attempts: int
    first_seen_at: int
    last_error: str | None  #: a closed word
    at: int
    count: int = 1
    known_keys: tuple[str, ...] = ()
    other_keys: int = 0
    redrive: str | None = None
    environment: Environment | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    The next event a partition takes, kept in the ledger beside what it led to.

    *starts* counts the starts since the partition last caught up: from the second
    on, results are mapped one at a time with the attempt written first, so that a
    result that kills the process is found (``pipeline``). *denied* counts, by source
    and hour, the sessions that ended because their provider denies them, until the
    hour is over and its summary is written.
    """

    next_offset: int
    starts: int = 0
    #: (source, start of the hour in milliseconds, sessions)
    denied: tuple[tuple[str, int, int], ...] = ()
