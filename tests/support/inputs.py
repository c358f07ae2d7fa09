"""Build inputs of the ledger, and apply them to a session one after another."""

import dataclasses
import hashlib
import itertools
import math
from collections.abc import Iterable

from worker import errors, ledger, model, policy

KEY = model.SessionKey("idnow_de", "tx-1")
START = 1_760_000_000_000
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

FETCHED = policy.SourcePolicy(provider="idnow", environment=model.Environment.TEST)
SIGNED = dataclasses.replace(FETCHED, provider="idbeyond", fetches=False)

_ids = itertools.count(1)


def _said(at: int | None) -> int | None:
    return None if at is None else START + at


def approved(
    *, at: int | None = None, flags: Iterable[model.Flag] = ()
) -> model.Verdict:
    """Return an approval, said *at* milliseconds after START if at a known time."""
    return policy.approved(status="SUCCESS", flags=flags, provider_time=_said(at))


def rejected(
    reason: model.Reason = model.Reason.FRAUD, *, at: int | None = None
) -> model.Verdict:
    """Return a rejection; *at* as ``approved``."""
    return policy.rejected(reason, status="FRAUD", provider_time=_said(at))


def pending(
    reason: model.Reason = model.Reason.UNDER_REVIEW, *, at: int | None = None
) -> model.Verdict:
    """Return a preliminary verdict; *at* as ``approved``."""
    return policy.pending(reason, status="REVIEW_PENDING", provider_time=_said(at))


def at(verdict: model.Verdict, milliseconds: int) -> model.Verdict:
    """Return *verdict* as said so many milliseconds after START."""
    return dataclasses.replace(verdict, provider_time=_said(milliseconds))


def rank(verdict: model.Verdict) -> tuple[object, ...]:
    """Order signed verdicts as promised; an untimed rejection may be the latest."""
    ranks = [model.Outcome.PENDING, model.Outcome.APPROVED, model.Outcome.REJECTED]
    missing = math.inf if verdict.outcome is ranks[-1] else -math.inf
    said_at = missing if verdict.provider_time is None else verdict.provider_time
    rest = (verdict.reason, verdict.retryable, verdict.next_step, verdict.flags)
    return (verdict.final, said_at, ranks.index(verdict.outcome), *rest)


def unconfirmed(reason: model.Reason = model.Reason.FRAUD) -> model.Claim:
    """Return the claim of a callback that holds only if the result is gone."""
    verdict = policy.rejected(reason, status="CANCELED", flags=[model.Flag.UNCONFIRMED])
    return model.Claim(model.ClaimKind.UNCONFIRMED, verdict)


def hint(verdict: model.Verdict) -> model.Claim:
    """Return the claim of a callback that is compared with the result and no more."""
    return model.Claim(model.ClaimKind.HINT, verdict)


def signed(verdict: model.Verdict, *alarms: model.AlarmKind) -> model.Claim:
    """Return the claim of a callback that is the provider's only result."""
    return model.Claim(model.ClaimKind.SIGNED, verdict, alarms)


def result(
    verdict: model.Verdict, *, at: int = START, reference: str | None = None
) -> model.Result:
    """Return what a mapped answer says."""
    return model.Result(verdict=verdict, observed_at=at, reference=reference)


def event(
    kind: model.EventType = model.EventType.CALLBACK_RECEIVED,
    *,
    key: model.SessionKey = KEY,
    received_at: int = START,
    reference: str | None = None,
    begin_id: str | None = None,
    expires_at: int | None = None,
    provider_event_id: str | None = None,
    provider_time: int | None = None,
    digest: str | None = None,
    event_id: str | None = None,
) -> model.Event:
    """Return an event of the session, each with an id of its own."""
    number = next(_ids)
    return model.Event(
        event_id=event_id or f"event-{number}",
        type=kind,
        environment=model.Environment.TEST,
        source=key.source,
        provider="idnow",
        session_id=key.session_id,
        provider_session_id=key.session_id.upper(),
        received_at=received_at,
        provider_event_id=provider_event_id,
        provider_time=provider_time,
        reference=reference,
        begin_id=begin_id,
        expires_at=expires_at,
        digest=digest or hashlib.sha256(b"%d" % number).hexdigest(),
    )


def failure(
    error: type[errors.FetchError], *, retry_after_ms: int | None = None
) -> ledger.Failure:
    """Return the failure that *error* is to the ledger."""
    return ledger.Failure.of(error(retry_after_ms=retry_after_ms))


@dataclasses.dataclass
class History:
    """One session under *rules*; each step returns the effects of that step alone."""

    rules: policy.SourcePolicy = FETCHED
    session: ledger.Session | None = None
    now: int = START
    decisions: list[model.Decision] = dataclasses.field(default_factory=list)
    letters: list[model.DeadLetter] = dataclasses.field(default_factory=list)

    @property
    def state(self) -> ledger.Session:
        """Return the session's state, which there must be."""
        assert self.session is not None
        return self.session

    @property
    def latest(self) -> model.Decision:
        """Return the latest decision."""
        return self.decisions[-1]

    @property
    def flying(self) -> bool:
        """Return whether a fetch is in flight."""
        return self.session is not None and self.session.flight is not None

    def apply(self, input_: ledger.Input) -> list[ledger.Effect]:
        """Apply *input_* to the session."""
        self.session, effects = ledger.advance(
            KEY, self.session, input_, self.now, self.rules
        )
        for effect in effects:
            if isinstance(effect, ledger.EmitDecision):
                self.decisions.append(effect.decision)
            elif isinstance(effect, ledger.EmitDeadLetter):
                self.letters.append(effect.letter)
        return effects

    def wait(self, milliseconds: int) -> None:
        """Let the clock go on, or back."""
        self.now += milliseconds

    def wait_until_due(self) -> None:
        """Let the clock go on to when the next fetch may start."""
        assert self.state.due_at is not None
        self.now = max(self.now, self.state.due_at)

    def callback(
        self,
        claim: model.Claim | None = None,
        *,
        reference: str | None = None,
        provider_event_id: str | None = None,
        digest: str | None = None,
    ) -> list[ledger.Effect]:
        """Take a callback that is received now."""
        taken = event(
            received_at=self.now,
            reference=reference,
            provider_event_id=provider_event_id,
            provider_time=None if claim is None else claim.verdict.provider_time,
            digest=digest,
        )
        return self.apply(ledger.CallbackTaken(taken, claim))

    def recheck(self) -> list[ledger.Effect]:
        """Take a recheck command."""
        return self.apply(
            ledger.RecheckTaken(
                event(model.EventType.RECHECK_REQUESTED, received_at=self.now)
            )
        )

    def register(
        self,
        reference: str | None = "order-1",
        *,
        begin_id: str | None = "begin-1",
        expires_at: int | None = None,
    ) -> list[ledger.Effect]:
        """Take a registration."""
        taken = event(
            model.EventType.SESSION_REGISTERED,
            received_at=self.now,
            reference=reference,
            begin_id=begin_id,
            expires_at=expires_at,
        )
        return self.apply(ledger.RegistrationTaken(taken))

    def come_back(self, begin_id: str | None = "begin-1") -> list[ledger.Effect]:
        """Take a return of the person."""
        kind = model.EventType.SESSION_RETURNED
        taken = event(kind, received_at=self.now, begin_id=begin_id)
        return self.apply(ledger.ReturnTaken(taken))

    def start(self) -> list[ledger.Effect]:
        """Offer room for a fetch."""
        return self.apply(ledger.FetchStarting())

    def answer(
        self, verdict: model.Verdict, *, reference: str | None = None
    ) -> list[ledger.Effect]:
        """Let the fetch in flight bring *verdict*."""
        brought = result(verdict, at=self.now, reference=reference)
        return self.apply(ledger.FetchSucceeded(self.state.fetch_seq, brought))

    def fail(
        self, error: type[errors.FetchError], *, retry_after_ms: int | None = None
    ) -> list[ledger.Effect]:
        """Let the fetch in flight end in *error*."""
        failed = failure(error, retry_after_ms=retry_after_ms)
        return self.apply(ledger.FetchFailed(self.state.fetch_seq, failed))

    def fetch(
        self, verdict: model.Verdict, *, reference: str | None = None
    ) -> list[ledger.Effect]:
        """Wait until a fetch is due, start it, and let it bring *verdict*."""
        self.wait_until_due()
        self.start()
        return self.answer(verdict, reference=reference)

    def fetch_failing(
        self, error: type[errors.FetchError], *, retry_after_ms: int | None = None
    ) -> list[ledger.Effect]:
        """Wait until a fetch is due, start it, and let it end in *error*."""
        self.wait_until_due()
        self.start()
        return self.fail(error, retry_after_ms=retry_after_ms)

    def crash(self) -> None:
        """Lose the process after the last commit, and find the session again."""
        self.session = (
            None if self.session is None else ledger.after_restart(self.session)
        )


def after_callbacks(rules: policy.SourcePolicy, *verdicts: model.Verdict) -> History:
    """Return a session after callbacks with signed *verdicts*, in this order."""
    history = History(rules)
    for verdict in verdicts:
        history.callback(signed(verdict))
        history.wait(SECOND)
    return history


def decided(verdict: model.Verdict, rules: policy.SourcePolicy = FETCHED) -> History:
    """Return a session whose callback was followed by a fetch that said *verdict*."""
    history = History(rules)
    history.callback()
    history.fetch(verdict)
    return history


def notes(effects: Iterable[ledger.Effect]) -> list[ledger.CounterKind]:
    """Return what *effects* count."""
    return [effect.kind for effect in effects if isinstance(effect, ledger.Count)]


def alarms(effects: Iterable[ledger.Effect]) -> list[model.AlarmKind]:
    """Return the alarms of *effects*."""
    return [effect.kind for effect in effects if isinstance(effect, ledger.Alarm)]


def emitted(effects: Iterable[ledger.Effect]) -> list[model.Decision]:
    """Return the decisions of *effects*."""
    return [
        effect.decision for effect in effects if isinstance(effect, ledger.EmitDecision)
    ]


def fetches(effects: Iterable[ledger.Effect]) -> bool:
    """Return whether *effects* start a fetch."""
    return any(isinstance(effect, ledger.Fetch) for effect in effects)
