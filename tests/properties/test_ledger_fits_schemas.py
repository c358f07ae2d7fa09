"""Whatever a session lives through, what the ledger makes of it fits the schemas."""

import dataclasses
import uuid
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.support import inputs, schemas
from worker import codec, errors, ledger, model, policy

# Short enough for a history to see its end.
_FETCHED = dataclasses.replace(
    inputs.FETCHED,
    retry_give_up_after_ms=inputs.MINUTE,
    not_found_within_ms=inputs.MINUTE,
    session_deadline_ms=inputs.MINUTE,
    overdue_attempts=1,
    polling=policy.PollSchedule(max_attempts=3),
)
_KNOWN = dataclasses.replace(_FETCHED, registered_sessions_only=True)
_STRICT = dataclasses.replace(_KNOWN, fetches=False)

Step = Callable[[inputs.History], object]

_VERDICTS = (
    inputs.approved(at=0),
    inputs.approved(at=5, flags=[model.Flag.DATA_CHANGED]),
    inputs.rejected(at=5),
    inputs.rejected(model.Reason.DOCUMENT_EXPIRED),
    inputs.pending(at=9),
    policy.pending_unrecognised("UNHEARD_OF"),
)
_CLAIMS = (
    None,
    inputs.unconfirmed(),
    inputs.hint(inputs.rejected()),
    *(inputs.signed(verdict) for verdict in _VERDICTS),
)
_FAILURES = (
    errors.NotReady,
    errors.SessionNotFound,
    errors.ProviderFault,
    errors.ProviderAuthFailed,
    errors.ResultMismatch,
    errors.MappingCrashed,
)


def _callback(claim: model.Claim | None, reference: str | None, mark: int) -> Step:
    def step(history: inputs.History) -> object:
        event = inputs.event(
            event_id=str(uuid.UUID(int=mark)),
            received_at=history.now,
            reference=reference,
            digest=f"{mark:064x}",
        )
        return history.apply(ledger.CallbackTaken(event, claim))

    return step


def _recheck(history: inputs.History) -> object:
    kind = model.EventType.RECHECK_REQUESTED
    event = inputs.event(kind, event_id=str(uuid.UUID(int=99)), received_at=history.now)
    return history.apply(ledger.RecheckTaken(event))


def _register(reference: str, begin_id: str | None, expires: int | None) -> Step:
    def step(history: inputs.History) -> object:
        event = inputs.event(
            model.EventType.SESSION_REGISTERED,
            event_id=str(uuid.UUID(int=98)),
            received_at=history.now,
            reference=reference,
            begin_id=begin_id,
            expires_at=None if expires is None else history.now + expires,
        )
        return history.apply(ledger.RegistrationTaken(event))

    return step


def _come_back(history: inputs.History) -> object:
    kind = model.EventType.SESSION_RETURNED
    event = inputs.event(kind, event_id=str(uuid.UUID(int=97)), begin_id="begin-1")
    return history.apply(ledger.ReturnTaken(event))


def _wait_over(history: inputs.History) -> object:
    if history.session is not None and history.session.due_at is not None:
        history.wait_until_due()
    return history.apply(ledger.TimerFired())


def _depart(history: inputs.History) -> bool:
    """Have a fetch in flight, if any is wanted."""
    if history.session is not None and history.session.due_at is not None:
        history.wait_until_due()
    history.start()
    return history.flying


def _fetch(verdict: model.Verdict) -> Step:
    return lambda history: _depart(history) and history.answer(verdict)


def _fail(error: type[errors.FetchError], times: int) -> Step:
    def step(history: inputs.History) -> object:
        return [history.fail(error) for _ in range(times) if _depart(history)]

    return step


def _die_mapping(history: inputs.History) -> None:
    """Lose the process at each attempt to map the answer."""
    for _ in range(5):
        if _depart(history):
            history.apply(ledger.InterpretStarting(history.state.fetch_seq))
            history.crash()


def _wait(milliseconds: int) -> Step:
    return lambda history: history.wait(milliseconds)


_CALLBACKS = st.builds(
    _callback,
    st.sampled_from(_CLAIMS),
    st.sampled_from([None, "customer-1", "customer-2"]),
    st.integers(1, 6),
)
_REGISTRATIONS = st.builds(
    _register,
    st.sampled_from(["customer-1", "customer-2"]),
    st.sampled_from([None, "begin-1"]),
    st.sampled_from([None, inputs.HOUR]),
)
_STEPS = st.one_of(
    _CALLBACKS,
    st.just(_recheck),
    _REGISTRATIONS,
    st.just(_come_back),
    st.just(_wait_over),
    st.just(inputs.History.start),
    st.builds(_fetch, st.sampled_from(_VERDICTS)),
    st.builds(_fail, st.sampled_from(_FAILURES), st.sampled_from([1, 3, 12])),
    st.builds(_wait, st.sampled_from([inputs.SECOND, inputs.HOUR, 4 * inputs.DAY])),
    st.just(inputs.History.crash),
    st.just(_die_mapping),
)


@pytest.mark.parametrize(
    "rules",
    [_FETCHED, inputs.SIGNED, _KNOWN, _STRICT],
    ids=["fetched", "signed", "known", "strict"],
)
@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    first=_CALLBACKS | _REGISTRATIONS, later=st.lists(_STEPS, min_size=5, max_size=25)
)
def test_what_a_session_leaves_behind_fits(
    rules: policy.SourcePolicy, first: Step, later: list[Step]
) -> None:
    """Every state, decision and dead letter of any history fits, and is read back."""
    history = inputs.History(rules)

    for step in (first, *later):
        step(history)
        if history.session is not None:
            for version, kind in ((1, "ledger_session"), (2, "ledger_session.v2")):
                value = codec.encode_session(history.session, version)
                record = codec.session_record(inputs.KEY, value)
                schemas.validate_record(kind, record)
                assert codec.read_session(value) == history.session
    for decision in history.decisions:
        record = codec.decision_record(decision)
        schemas.validate_record("decision", record)
        read = codec.read_decision(record.key, record.value, record.headers)
        assert read == decision
    for letter in history.letters:
        record = codec.dead_letter_record(letter)
        schemas.validate_record("dead_letter", record)
        read_letter = codec.read_dead_letter(record.key, record.value, record.headers)
        assert read_letter == letter
