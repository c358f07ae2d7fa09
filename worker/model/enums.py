"""Hold the closed words that everything else speaks in."""

import enum


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
    PURGE_REQUESTED = "purge.requested"


class AlarmKind(enum.StrEnum):
    """Every alarm; docs/operations/runbook.md has an entry for each."""

    BAD_RESULT_SIGNATURE = "bad_result_signature"
    CONFLICTING_FINAL = "conflicting_final"
    CONTRADICTORY_RESULT = "contradictory_result"
    FETCH_EXHAUSTED = "fetch_exhausted"
    HANGING_TRANSACTION = "hanging_transaction"
    HINT_DIFFERS = "hint_differs"
    LEDGER_UNREADABLE = "ledger_unreadable"
    MESSAGE_UNDELIVERED = "message_undelivered"
    NOT_FOUND_RATE = "not_found_rate"
    PARTITION_FULL = "partition_full"
    POSITION_LOST = "position_lost"
    PROVIDER_AUTH_FAILED = "provider_auth_failed"
    PROVIDER_SUBSCRIPTION = "provider_subscription"
    QUARANTINED = "quarantined"
    RECORD_TOO_LARGE = "record_too_large"
    REFERENCE_MISMATCH = "reference_mismatch"
    RESULT_MISMATCH = "result_mismatch"
    SESSIONS_DROPPED = "sessions_dropped"
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
