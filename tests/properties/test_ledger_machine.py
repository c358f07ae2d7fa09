"""Long histories of a session, with commits, crashes and replays between them."""

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from tests.support import inputs, models
from tests.support import ledger_invariants as laws
from tests.support import ledger_steps as steps
from worker import errors, ledger, model

_CLAIMS = st.none() | st.builds(
    model.Claim,
    kind=st.sampled_from([model.ClaimKind.HINT, model.ClaimKind.UNCONFIRMED]),
    verdict=models.said(),
)
_RESULTS = st.builds(
    model.Result,
    verdict=models.said(),
    observed_at=st.just(inputs.START),
    reference=st.none() | st.sampled_from(["order-1", "order-2"]),
)
_ERRORS = st.sampled_from(errors.FetchError.__subclasses__())
_FAILURES = st.builds(
    lambda error, wait: inputs.failure(error, retry_after_ms=wait),
    _ERRORS,
    st.none() | st.integers(0, 100_000),
)
_BEGINS = st.none() | st.sampled_from(["begin-1", "begin-2"])
_NAMES = st.none() | st.sampled_from(["e1", "e2"])
_WAITS = st.integers(-inputs.HOUR, inputs.HOUR) | st.sampled_from([0, 1, inputs.DAY])

Event = (
    ledger.CallbackTaken
    | ledger.RecheckTaken
    | ledger.RegistrationTaken
    | ledger.ReturnTaken
)


class Fetched(stateful.RuleBasedStateMachine):
    """
    A fetched session, its committed state, and what a reader downstream sees.

    What was told since the last commit is lost in a crash; its events come again.
    """

    policy = steps.POLLED

    def __init__(self) -> None:
        super().__init__()
        self.now = inputs.START
        self.session: ledger.Session | None = None
        self.committed: ledger.Session | None = None
        self.uncommitted: list[Event] = []
        #: whether there is anything to write of the session
        self.changed = False
        self.emitted: list[model.Decision] = []
        self.seen: list[model.Decision] = []
        #: an event waits for a fetch that starts after it; and as of the commit
        self.owed = self.owed_committed = False

    def apply(self, said: ledger.Input) -> steps.Step:
        """Tell the session *said*, held against every law."""
        taken = laws.step(self.session, said, self.now, self.policy)
        if taken.after is not self.session:
            self.changed |= ledger.SkipPersist() not in taken.effects
        self.session = taken.after
        self.emitted += taken.emitted
        if inputs.fetches(taken.effects) or self.session is None:
            self.owed = False
        return taken

    def take(self, said: Event) -> None:
        """Take an event from the topic."""
        taken = self.apply(said)
        self.uncommitted.append(said)
        self.owed |= steps.asks(taken) and not isinstance(said, ledger.ReturnTaken)

    @stateful.rule(claim=_CLAIMS, name=_NAMES)
    def callback(self, claim: model.Claim | None, name: str | None) -> None:
        """Take a callback."""
        event = inputs.event(
            received_at=self.now, provider_event_id=name, reference="forged"
        )
        self.take(ledger.CallbackTaken(event, claim))

    @stateful.rule()
    def recheck(self) -> None:
        """Take a recheck command."""
        self.take(ledger.RecheckTaken(inputs.event(model.EventType.RECHECK_REQUESTED)))

    @stateful.rule(
        reference=st.sampled_from(["order-1", "order-2"]),
        begin_id=_BEGINS,
        expires=st.none() | st.integers(-inputs.HOUR, inputs.DAY),
    )
    def register(
        self, reference: str, begin_id: str | None, expires: int | None
    ) -> None:
        """Take a registration."""
        event = inputs.event(
            model.EventType.SESSION_REGISTERED,
            received_at=self.now,
            reference=reference,
            begin_id=begin_id,
            expires_at=None if expires is None else self.now + expires,
        )
        self.take(ledger.RegistrationTaken(event))

    @stateful.rule(begin_id=_BEGINS)
    def come_back(self, begin_id: str | None) -> None:
        """Take a return of the person, or of another one."""
        kind = model.EventType.SESSION_RETURNED
        self.take(ledger.ReturnTaken(inputs.event(kind, begin_id=begin_id)))

    @stateful.precondition(lambda self: self.held)
    @stateful.rule(behind=st.booleans())
    def wait_over(self, *, behind: bool) -> None:
        """Wait until the hold is over."""
        assert self.session is not None
        assert self.session.due_at is not None
        self.now = max(self.now, self.session.due_at)
        self.apply(ledger.TimerFired(behind=behind))

    @stateful.rule()
    def drop(self) -> None:
        """Run out of room for what is held."""
        self.apply(ledger.HoldEvicted())

    @stateful.rule(purged=st.booleans())
    def discard(self, *, purged: bool) -> None:
        """Run out of room for what is unanswered, or end it by command."""
        self.apply(ledger.Dropped(purged=purged))

    @property
    def held(self) -> bool:
        """Return whether the session waits to be registered."""
        return self.session is not None and self.session.unregistered_cause is not None

    @stateful.rule()
    def lose_events(self) -> None:
        """Go on after a gap in the topic."""
        self.apply(ledger.EventsLost())

    @stateful.rule(milliseconds=_WAITS)
    def wait(self, milliseconds: int) -> None:
        """Let the clock go on, or back."""
        self.now += milliseconds

    @stateful.precondition(
        lambda self: self.session and self.session.due_at and not self.held
    )
    @stateful.rule()
    def start(self) -> None:
        """Wait until the fetch is due, and start it."""
        assert self.session is not None
        assert self.session.due_at is not None
        self.now = max(self.now, self.session.due_at)
        self.apply(ledger.FetchStarting())
        assert self.session.flight is not None

    @stateful.precondition(lambda self: self.session and self.session.flight)
    @stateful.rule(result=_RESULTS)
    def answer(self, result: model.Result) -> None:
        """Let the fetch bring a result."""
        assert self.session is not None
        self.apply(ledger.FetchSucceeded(self.session.fetch_seq, result))

    @stateful.precondition(lambda self: self.session and self.session.flight)
    @stateful.rule(failure=_FAILURES, cautious=st.booleans())
    def fail(self, failure: ledger.Failure, *, cautious: bool) -> None:
        """Let the fetch, or the mapping of what it brought, fail."""
        assert self.session is not None
        seq = self.session.fetch_seq
        if cautious:
            self.apply(ledger.InterpretStarting(seq))
        self.apply(ledger.FetchFailed(seq, failure, counted=cautious))

    @stateful.rule(seq=st.integers(0, 3), result=_RESULTS)
    def be_late(self, seq: int, result: model.Result) -> None:
        """Let an answer come to a fetch that is no longer in flight."""
        if self.session is None or self.session.flight is None:
            self.apply(ledger.FetchSucceeded(seq, result))

    @stateful.rule()
    def retire(self) -> None:
        """Let the hourly sweep look at the session."""
        self.apply(ledger.RetentionExpired())
        if self.session is None:
            self.commit()
            self.seen.clear()

    @stateful.rule()
    def commit(self) -> None:
        """Write the state, the position and the decisions in one transaction."""
        if self.changed:
            self.committed, self.owed_committed = self.session, self.owed
        self.changed = False
        self.uncommitted.clear()
        self.seen += self.emitted
        self.emitted.clear()

    @stateful.rule()
    def crash(self) -> None:
        """Lose all since the commit; the events come again, what flew is wanted."""
        self.session = self.committed
        # A flight that was committed may never have come back: it is owed again.
        self.owed = self.owed_committed or bool(self.session and self.session.flight)
        if self.session is not None:
            self.session = ledger.after_restart(self.session)
        self.emitted.clear()
        self.changed = False
        again, self.uncommitted = self.uncommitted, []
        for said in again:
            self.take(said)

    @stateful.invariant()
    def downstream_is_contiguous(self) -> None:
        """See that a reader finds revisions 1, 2, 3 without gap or repeat."""
        seen = [decision.revision for decision in self.seen]
        assert seen == list(range(1, len(seen) + 1))

    @stateful.invariant()
    def no_final_is_followed_by_a_pending(self) -> None:
        """See that what a reader takes for final stays final."""
        finals = [decision.verdict.final for decision in self.seen]
        assert finals == sorted(finals)

    @stateful.invariant()
    def nobody_is_forgotten(self) -> None:
        """See that what an event asked for is still to come."""
        assert not self.owed or steps.is_wanted(self.session)

    @stateful.invariant()
    def the_customer_is_the_results(self) -> None:
        """See that no unsigned callback says whose session it is."""
        assert self.session is None or self.session.reference != "forged"

    def teardown(self) -> None:
        """See that a provider that answers ends every session that is not given up."""
        fetched = 0
        if self.held:
            self.register("order-1", None, None)
        while self.session is not None and self.session.open:
            if self.session.flight is None:
                self.start()
            reference = self.session.reference
            self.answer(inputs.result(inputs.approved(), reference=reference))
            fetched += 1
            assert fetched <= len(["in flight", "trailing"]) + 1
        if fetched:
            assert self.session is not None
            assert self.session.current_verdict is not None
            assert self.session.current_verdict.outcome is model.Outcome.APPROVED


class Known(Fetched):
    """The same for a source that knows its sessions: others wait to be registered."""

    policy = steps.KNOWN


# A busy machine is slow now and then; that is no failure of the code.
_LONG = hypothesis.settings(
    deadline=None,
    max_examples=120,
    stateful_step_count=40,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)

TestFetched = pytest.mark.timeout(60)(Fetched.TestCase)
TestFetched.settings = _LONG
TestKnown = pytest.mark.timeout(60)(Known.TestCase)
TestKnown.settings = _LONG
