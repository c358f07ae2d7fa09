"""Make any value that the model allows, for properties: Hypothesis strategies."""

import string
import uuid

from hypothesis import strategies as st

from worker import clock, ledger, model

_NAME = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,6}){0,2}", fullmatch=True)
_IDENTIFIER = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60
)
_WORD = st.text(string.ascii_letters + string.digits + "_. -", min_size=1, max_size=30)
_REFERENCE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_UUID = st.uuids().map(str)
_TIME = st.integers(0, clock.LATEST_MS)
_COUNT = st.integers(0, 2**40)
_TRACE = st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True)
_SHA256 = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
_COMMAND = st.just("kyc-worker dlq redrive --source a --session b")
_ERROR = st.sampled_from(["no_such_session", "provider_fault", "quarantined"])

_REASONS = {
    model.Outcome.APPROVED: ("verified", "manual_override"),
    model.Outcome.PENDING: (
        "in_progress",
        "under_review",
        "resubmission_requested",
        "reopened",
        "unrecognised_result",
        "provider_unavailable",
        "reference_mismatch",
    ),
    model.Outcome.REJECTED: (
        "document_invalid",
        "document_expired",
        "data_mismatch",
        "biometric_failed",
        "fraud",
        "screening_hit",
        "not_eligible",
        "consent_refused",
        "technical_failure",
        "not_completed",
        "approval_expired",
        "declined",
        "manual_override",
    ),
}
_SUMMARIES = (
    model.DeadLetterReason.DENIED_SESSIONS,
    model.DeadLetterReason.UNKNOWN_SESSIONS,
)


def events() -> st.SearchStrategy[model.Event]:
    """Return any event."""
    return st.builds(
        model.Event,
        event_id=_UUID,
        type=st.sampled_from(model.EventType),
        environment=st.sampled_from(model.Environment),
        source=_NAME,
        provider=_NAME,
        session_id=_IDENTIFIER,
        provider_session_id=_IDENTIFIER,
        received_at=_TIME,
        provider_event=_WORD,
        provider_event_id=st.none() | _IDENTIFIER,
        provider_time=st.none() | _TIME,
        reference=st.none() | _REFERENCE,
        begin_id=st.none() | _IDENTIFIER,
        expires_at=st.none() | _TIME,
        digest=st.none() | _SHA256,
        claim=st.dictionaries(_WORD, st.none() | _WORD, max_size=4),
        traceparent=st.none() | _TRACE,
    )


@st.composite
def begins(draw: st.DrawFn) -> model.Intent:
    """Return an intent, at any stage."""
    intent = model.Intent(
        source=draw(_NAME),
        provider=draw(_NAME),
        environment=draw(st.sampled_from(model.Environment)),
        begin_id=draw(_IDENTIFIER),
        attempt_id=draw(_UUID),
        reference=draw(_REFERENCE),
        begun_at=draw(_TIME),
    )
    stage: model.BeginStage = draw(st.sampled_from(model.BeginStage))
    match stage:
        case model.BeginStage.INTENDED:
            return intent
        case model.BeginStage.FAILED:
            return intent.failed(draw(_TIME))
        case model.BeginStage.REGISTERED:
            return intent.registered(
                draw(_TIME),
                session_id=draw(_IDENTIFIER),
                provider_session_id=draw(_IDENTIFIER),
                expires_at=draw(st.none() | _TIME),
            )


@st.composite
def verdicts(draw: st.DrawFn) -> model.Verdict:
    """Return any verdict whose reason its outcome can have."""
    outcome = draw(st.sampled_from(model.Outcome))
    flags = draw(st.sets(st.sampled_from(model.Flag)))
    return model.Verdict(
        outcome=outcome,
        reason=model.Reason(draw(st.sampled_from(_REASONS[outcome]))),
        retryable=draw(st.booleans()),
        next_step=draw(st.sampled_from(model.NextStep)),
        flags=tuple(sorted(flags)),
        provider_status=draw(st.none() | _WORD),
        provider_reason=draw(st.none() | _WORD),
        provider_time=draw(st.none() | _TIME),
    )


def said() -> st.SearchStrategy[model.Verdict]:
    """Return any verdict that a provider may have said."""
    ours = model.Reason.REFERENCE_MISMATCH
    return verdicts().filter(lambda verdict: verdict.reason is not ours)


@st.composite
def causes(draw: st.DrawFn) -> model.Cause:
    """Return any cause: a poll has no event, and only a callback was received."""
    kind = draw(st.sampled_from(model.CauseType))
    called = kind is model.CauseType.CALLBACK
    return model.Cause(
        type=kind,
        event_id=None if kind is model.CauseType.POLL else draw(_UUID),
        received_at=draw(_TIME) if called else None,
        traceparent=draw(st.none() | _TRACE),
    )


@st.composite
def decisions(draw: st.DrawFn) -> model.Decision:
    """Return any decision, its ids made as the ledger makes them."""
    key = model.SessionKey(draw(_NAME), draw(_IDENTIFIER))
    revision = draw(st.integers(1, 2**31))
    return model.Decision(
        decision_id=decision_id(key, revision),
        environment=draw(st.sampled_from(model.Environment)),
        source=key.source,
        provider=draw(_NAME),
        session_id=key.session_id,
        provider_session_id=draw(_IDENTIFIER),
        reference=draw(st.none() | _REFERENCE),
        revision=revision,
        verdict=draw(verdicts()),
        supersedes=decision_id(key, revision - 1) if revision > 1 else None,
        cause=draw(causes()),
        observed_at=draw(st.none() | _TIME),
        decided_at=draw(_TIME),
    )


def decision_id(key: model.SessionKey, revision: int) -> str:
    """Return the documented id of a session's *revision*."""
    name = f"kyc:{key.source}:{key.session_id}:{revision}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


@st.composite
def dead_letters(draw: st.DrawFn) -> model.DeadLetter:
    """Return any dead letter: of a session, of a callback, or a summary."""
    reason = draw(st.sampled_from(model.DeadLetterReason))
    summary = reason in _SUMMARIES
    unmappable = reason is model.DeadLetterReason.UNMAPPABLE
    known = draw(st.sets(_WORD, max_size=4)) if unmappable else set()
    session = st.none() | _IDENTIFIER if unmappable else _IDENTIFIER
    return model.DeadLetter(
        dead_letter_id=draw(_UUID),
        reason=reason,
        source=draw(_NAME),
        session_id=None if summary else draw(session),
        event_id=None if summary else draw(st.none() | _UUID),
        attempts=draw(_COUNT),
        first_seen_at=draw(_TIME),
        last_error=draw(st.none() | _ERROR),
        at=draw(_TIME),
        count=draw(st.integers(1, 2**31)) if summary else 1,
        known_keys=tuple(sorted(known)),
        other_keys=draw(_COUNT) if unmappable else 0,
        redrive=None
        if summary
        else draw(st.none() | st.just("kyc-worker dlq redrive")),
        environment=draw(st.none() | st.sampled_from(model.Environment)),
    )


def sessions() -> st.SearchStrategy[ledger.Session]:
    """Return any state of a session, in any combination."""
    flight = st.builds(
        ledger.Flight, seq=st.integers(1, 2**31), started_at=_TIME, cause=causes()
    )
    unconfirmed = st.builds(
        ledger.Unconfirmed, verdict=verdicts(), since=_TIME, cause=causes()
    )
    return st.builds(
        ledger.Session,
        provider_session_id=_IDENTIFIER,
        first_seen_at=_TIME,
        updated_at=_TIME,
        reference=st.none() | _REFERENCE,
        revision=_COUNT,
        current_verdict=st.none() | verdicts(),
        observed_at=st.none() | _TIME,
        due_at=st.none() | _TIME,
        pending_cause=st.none() | causes(),
        flight=st.none() | flight,
        queued_cause=st.none() | causes(),
        fetch_seq=_COUNT,
        last_fetch_at=st.none() | _TIME,
        mapping_attempts=_COUNT,
        failures=_COUNT,
        failing_since=st.none() | _TIME,
        not_ready=_COUNT,
        denials=_COUNT,
        denied_since=st.none() | _TIME,
        rechecks=_COUNT,
        seen_delivery_ids=st.lists(_IDENTIFIER, max_size=4).map(tuple),
        unconfirmed=st.none() | unconfirmed,
        hint=st.none() | st.sampled_from(model.Outcome),
        registered_at=st.none() | _TIME,
        begin_id=st.none() | _IDENTIFIER,
        expires_at=st.none() | _TIME,
        returned_at=st.none() | _TIME,
        awaiting_callback=st.booleans(),
        polls_left=_COUNT,
        overdue=_COUNT,
        expired_by_us=st.booleans(),
        unregistered_cause=st.none() | causes(),
        confirmations=_COUNT,
        fresh_since=st.none() | _TIME,
        doubted=st.booleans(),
        extra=st.just({}),
    )


def positions() -> st.SearchStrategy[model.Position]:
    """Return any position."""
    row = st.tuples(_NAME, _TIME, st.integers(1, 2**31))
    return st.builds(
        model.Position,
        next_offset=_COUNT,
        starts=_COUNT,
        denied=st.lists(row, max_size=3).map(tuple),
        unknown=st.lists(row, max_size=3).map(tuple),
    )
