"""Long histories of signed verdicts, and whatever else may come to any state."""

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from tests.support import inputs, models
from tests.support import ledger_invariants as laws
from tests.support import ledger_steps as steps
from worker import errors, ledger, model, policy

_CLAIMS = st.none() | st.builds(
    model.Claim, kind=st.sampled_from(model.ClaimKind), verdict=models.verdicts()
)
_RESULTS = st.builds(
    model.Result,
    verdict=models.verdicts(),
    observed_at=st.just(inputs.START),
    reference=st.none() | st.sampled_from(["order-1", "order-2"]),
)
_FAILURES = st.builds(
    lambda error, wait: inputs.failure(error, retry_after_ms=wait),
    st.sampled_from(errors.FetchError.__subclasses__()),
    st.none() | st.integers(0, 100_000),
)


class Signed(stateful.RuleBasedStateMachine):
    """A session whose signed callbacks are its verdicts, in any order, with crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.session: ledger.Session | None = None
        self.committed: ledger.Session | None = None
        self.uncommitted: list[ledger.CallbackTaken] = []
        self.taken: list[ledger.CallbackTaken] = []
        self.revisions: list[int] = []
        self.emitted: list[int] = []

    def take(self, said: ledger.CallbackTaken) -> None:
        """Take a signed callback."""
        taken = laws.step(self.session, said, inputs.START, inputs.SIGNED)
        self.session = taken.after
        self.uncommitted.append(said)
        self.emitted += [decision.revision for decision in taken.emitted]

    @stateful.rule(verdict=models.said(), at=st.integers(0, 4))
    def callback(self, verdict: model.Verdict, at: int) -> None:
        """Take a new signed verdict that says when it was made."""
        claim = inputs.signed(inputs.at(verdict, at))
        self.taken.append(ledger.CallbackTaken(inputs.event(), claim))
        self.take(self.taken[-1])

    @stateful.precondition(lambda self: self.taken)
    @stateful.rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Take a delivery again, or one that a redrive made."""
        self.take(data.draw(st.sampled_from(self.taken)))

    @stateful.rule()
    def commit(self) -> None:
        """Write everything in one transaction."""
        self.committed, self.revisions = self.session, self.revisions + self.emitted
        self.uncommitted, self.emitted = [], []

    @stateful.rule()
    def crash(self) -> None:
        """Lose all since the commit; the events come again."""
        self.session = self.committed
        again, self.uncommitted, self.emitted = self.uncommitted, [], []
        for said in again:
            self.take(said)

    @stateful.invariant()
    def the_greatest_stands(self) -> None:
        """See that the end depends on what was said and not on when it came."""
        verdicts = [said.claim.verdict for said in self.taken if said.claim]
        if not verdicts:
            return
        assert self.session is not None
        assert self.session.current_verdict is not None
        greatest = max(verdicts, key=inputs.rank)
        assert self.session.current_verdict.comparison_key == greatest.comparison_key

    @stateful.invariant()
    def downstream_is_contiguous(self) -> None:
        """See that a reader finds revisions 1, 2, 3 without gap or repeat."""
        assert self.revisions == list(range(1, len(self.revisions) + 1))


# A busy machine is slow now and then; that is no failure of the code.
TestSigned = pytest.mark.timeout(60)(Signed.TestCase)
TestSigned.settings = hypothesis.settings(
    deadline=None,
    max_examples=120,
    stateful_step_count=40,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


@hypothesis.given(
    session=st.none() | models.sessions(),
    said=st.builds(ledger.CallbackTaken, models.events(), _CLAIMS)
    | st.builds(ledger.RecheckTaken, models.events())
    | st.just(ledger.FetchStarting())
    | st.just(ledger.RetentionExpired())
    | st.builds(ledger.RegistrationTaken, models.events())
    | st.builds(ledger.ReturnTaken, models.events())
    | st.builds(ledger.TimerFired, st.booleans())
    | st.just(ledger.HoldEvicted())
    | st.builds(ledger.Dropped, st.booleans())
    | st.builds(ledger.InterpretStarting, st.integers(1, 3))
    | st.builds(ledger.FetchSucceeded, st.integers(1, 3), _RESULTS)
    | st.builds(ledger.FetchFailed, st.integers(1, 3), _FAILURES),
    now=st.integers(0, 2**45),
    rules=st.sampled_from([inputs.FETCHED, inputs.SIGNED, steps.KNOWN, steps.STRICT]),
)
def test_advance_is_total(
    session: ledger.Session | None,
    said: ledger.Input,
    now: int,
    rules: policy.SourcePolicy,
) -> None:
    """Any input to any state whatever, at any time, has an answer and never raises."""
    if session is not None and session.flight is not None:
        seq = session.flight.seq
        match said:
            case ledger.FetchSucceeded(_, result):
                said = ledger.FetchSucceeded(seq, result)
            case ledger.FetchFailed(_, failure):
                said = ledger.FetchFailed(seq, failure)
            case _:
                pass
    after, effects = ledger.advance(inputs.KEY, session, said, now, rules)
    assert after is not None or session is None or effects
