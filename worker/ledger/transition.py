"""Carry one input's work on one session: what changes, and what follows."""

import dataclasses
from typing import Any

from worker import model, policy
from worker.ledger import inputs, state

_LETTER_ALARM = {
    model.DeadLetterReason.CONFLICTING_FINAL: model.AlarmKind.CONFLICTING_FINAL,
    model.DeadLetterReason.FETCH_EXHAUSTED: model.AlarmKind.FETCH_EXHAUSTED,
    model.DeadLetterReason.RESULT_MISMATCH: model.AlarmKind.RESULT_MISMATCH,
    model.DeadLetterReason.BAD_RESULT_SIGNATURE: model.AlarmKind.BAD_RESULT_SIGNATURE,
    model.DeadLetterReason.QUARANTINED: model.AlarmKind.QUARANTINED,
}


def decision_id(key: model.SessionKey, revision: int) -> str:
    """Return the id of a session's *revision*: the same wherever it is computed."""
    return model.deterministic_id(f"kyc:{key}:{revision}")


def pending_reference_mismatch(verdict: model.Verdict) -> model.Verdict:
    """
    Return what a *verdict* is worth that comes with another's reference.

    A rejection is believed all the same: a doubt approves no session.
    """
    if verdict.outcome is model.Outcome.REJECTED:
        return verdict
    return policy.pending(
        model.Reason.REFERENCE_MISMATCH,
        status=verdict.provider_status,
        provider_time=verdict.provider_time,
    )


@dataclasses.dataclass(slots=True, kw_only=True)
class Transition:
    """One call of ``advance``; lives no longer than that call."""

    key: model.SessionKey
    rules: policy.SourcePolicy
    now: int
    session: state.Session
    effects: list[inputs.Effect] = dataclasses.field(default_factory=list)
    #: the session is to be forgotten
    ended: bool = False
    #: nothing of this is worth writing, unless more than notes follows from it
    write_optional: bool = False
    #: why what stands is to be said again, unless a new verdict says it first
    _unsaid: model.Cause | None = None

    def change(self, **changes: Any) -> None:  # noqa: ANN401 -- the session's fields
        """
        Go on with the session as it is with *changes*, made now.

        Where nothing differs, as for the wake-ups after the first, nothing is written.
        """
        session = self.session
        for name, value in changes.items():
            if getattr(session, name) != value:
                self.session = state.changed(session, updated_at=self.now, **changes)
                return

    def note(self, kind: inputs.CounterKind) -> None:
        """Count *kind*."""
        self.effects.append(inputs.Count(kind))

    def milestone(self, step: inputs.Milestone) -> None:
        """Count that the registered session has come to *step*."""
        self.effects.append(inputs.MilestoneReached(step))

    def alarm(self, kind: model.AlarmKind) -> None:
        """Tell a person of *kind*."""
        self.effects.append(inputs.Alarm(kind))

    def decide(
        self,
        verdict: model.Verdict,
        cause: model.Cause,
        observed_at: int | None,
        *,
        lapsed: bool = False,
    ) -> None:
        """
        Let *verdict* stand; emit a revision if its substance is news.

        *lapsed* where it is no word of the provider's: it did not end in time.
        """
        before = self.session
        news = (
            before.current_verdict is None
            or before.current_verdict.comparison_key != verdict.comparison_key
            or self._unsaid is not None
        )
        tells = news and before.unregistered_cause is None
        self.change(
            current_verdict=verdict,
            observed_at=observed_at,
            expired_by_us=lapsed,
            unregistered_cause=None if before.unregistered_cause is None else cause,
            revision=before.revision + tells,
        )
        if tells:
            self._emit(verdict, cause)

    def re_emit_current(self, cause: model.Cause) -> None:
        """Emit what stands at the end of the turn, if anything does."""
        self._unsaid = cause

    @property
    def deadline(self) -> int | None:
        """Return when the session should have ended, if that is to be expected."""
        session = self.session
        if session.registered_at is None:
            return None
        return self.rules.deadline_ms(session.registered_at, session.expires_at)

    def finish(self) -> None:
        """
        Emit what stands if anything of it is new and no decision said so.

        Of a session that is held nothing is said.
        """
        cause, session = self._unsaid, self.session
        if (
            cause is None
            or session.current_verdict is None
            or session.unregistered_cause is not None
        ):
            return
        self.change(revision=session.revision + 1)
        self._emit(session.current_verdict, cause)

    def _emit(self, verdict: model.Verdict, cause: model.Cause) -> None:
        """Emit *verdict*, which stands, as the revision that the session is at."""
        self._unsaid = None
        session = self.session
        revision = session.revision
        decision = model.Decision(
            decision_id=decision_id(self.key, revision),
            environment=self.rules.environment,
            source=self.key.source,
            provider=self.rules.provider,
            session_id=self.key.session_id,
            provider_session_id=session.provider_session_id,
            reference=session.reference,
            revision=revision,
            verdict=verdict,
            supersedes=decision_id(self.key, revision - 1) if revision > 1 else None,
            cause=cause,
            observed_at=session.observed_at,
            decided_at=self.now,
        )
        self.effects.append(inputs.EmitDecision(decision))

    def check_reference(
        self, verdict: model.Verdict, reference: str | None, cause: model.Cause
    ) -> model.Verdict:
        """
        Keep the *reference* that *verdict* comes with; return what may stand of it.

        The first reference that comes is kept, and a late one is a new revision of
        what stands, the same one as that of its verdict. Where it differs from the
        one that is kept an alarm is raised, and only a rejection is believed: any
        other verdict becomes pending ``reference_mismatch``, which changes no final.
        Only a verdict with the right reference ends that.
        """
        session = self.session
        if reference is None:
            return self._doubted(verdict)
        if reference == session.reference:
            self.change(doubted=False)
            return verdict
        if session.reference is None:
            self.change(reference=reference)
            self._unsaid = cause
            return verdict
        self.alarm(model.AlarmKind.REFERENCE_MISMATCH)
        self.change(doubted=True)
        return pending_reference_mismatch(verdict)

    def _doubted(self, verdict: model.Verdict) -> model.Verdict:
        """Return what a *verdict* without a reference is worth in this session."""
        session = self.session
        # Earlier releases kept the doubt as the verdict alone.
        if not session.doubted and (
            session.current_verdict is None
            or session.current_verdict.reason is not model.Reason.REFERENCE_MISMATCH
        ):
            return verdict
        self.change(doubted=True)
        if session.final and verdict.outcome is model.Outcome.APPROVED:
            # Nothing else shows that it is not believed.
            self.alarm(model.AlarmKind.REFERENCE_MISMATCH)
        return pending_reference_mismatch(verdict)

    def register(self, reference: str | None, cause: model.Cause) -> None:
        """
        Take the company's own word for whose session it is, the first time it comes.

        It takes the place of a differing reference, as long as no final was published
        under that one; what stands becomes pending ``reference_mismatch``, unless it
        is a rejection.
        """
        session = self.session
        if reference is None or reference == session.reference:
            return
        if session.reference is not None:
            self.alarm(model.AlarmKind.REFERENCE_MISMATCH)
            if session.final and session.revision:
                return
        self.change(reference=reference)
        self._unsaid = cause
        if session.reference is not None and session.current_verdict is not None:
            self.change(doubted=True)
            doubt = pending_reference_mismatch(session.current_verdict)
            self.decide(doubt, cause, session.observed_at)

    def dead_letter(
        self,
        reason: model.DeadLetterReason,
        *,
        event_id: str | None,
        attempts: int,
        last_error: str | None,
    ) -> None:
        """Write a dead letter, and raise the alarm that goes with its reason."""
        fetch = self.session.fetch_seq
        place = f"kyc:dlq:{self.key}:{reason}:{event_id}:{fetch}:{self.now}"
        redrive = model.redrive_command(self.key)
        letter = model.DeadLetter(
            dead_letter_id=model.deterministic_id(place),
            reason=reason,
            environment=self.rules.environment,
            source=self.key.source,
            session_id=self.key.session_id,
            event_id=event_id,
            attempts=attempts,
            first_seen_at=self.session.first_seen_at,
            last_error=last_error,
            at=self.now,
            redrive=redrive if self.rules.fetches else None,
        )
        self.effects.append(inputs.EmitDeadLetter(letter))
        if reason in _LETTER_ALARM:
            self.alarm(_LETTER_ALARM[reason])
