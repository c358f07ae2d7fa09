"""Every wake-up is answered by what the provider says after it, whatever is cached."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.support import inputs
from tests.support import ledger_invariants as laws
from tests.support import ledger_steps as steps
from worker import errors, ledger, model, policy
from worker.providers.idnow import result_lists

#: What the provider may say of the session; None is that it denies it.
_STATES: Mapping[str, model.Verdict | None] = {
    "gone": None,
    "open": inputs.pending(model.Reason.IN_PROGRESS),
    "review": inputs.pending(),
    "success": inputs.approved(),
    "cancelled": inputs.rejected(),
}
#: how long a cancellation is in no list yet, once its result is gone
_LAG = 90 * inputs.SECOND
_ENOUGH = 200

Action = tuple[str, int]
_KINDS = (
    *(("callback", "recheck", "register", "return", "hint") * 2),
    *(("wait", "start", "land", "silence", "crash") * 3),
    *_STATES,
)
_ACTIONS = st.lists(
    st.tuples(st.sampled_from(_KINDS), st.integers(0, 100)), max_size=30
)
_EVENTS: Mapping[str, Callable[[], ledger.Input]] = {
    "callback": lambda: ledger.CallbackTaken(inputs.event()),
    "hint": lambda: ledger.CallbackTaken(
        inputs.event(), inputs.hint(inputs.approved())
    ),
    "recheck": lambda: ledger.RecheckTaken(
        inputs.event(model.EventType.RECHECK_REQUESTED)
    ),
    "register": lambda: ledger.RegistrationTaken(
        inputs.event(model.EventType.SESSION_REGISTERED, begin_id="begin")
    ),
    "return": lambda: ledger.ReturnTaken(
        inputs.event(model.EventType.SESSION_RETURNED, begin_id="begin")
    ),
}


class _World:
    """A session, and a provider whose state changes; every step takes time."""

    def __init__(self, rules: policy.SourcePolicy) -> None:
        self.rules = rules
        self.now = inputs.START
        self.session: ledger.Session | None = None
        self.states = [(0, "open")]
        self.woken_at = 0
        #: when the person last came back, which a final of the provider answers, too
        self.returned_at = 0
        #: when the provider was read that the session was last told of, and what
        self.read_at, self.read = 0, "open"
        #: the letters and quiet ends since the last wake-up
        self.ends = 0

    def state(self, at: int) -> str:
        """Return the provider's state at a time."""
        return next(state for since, state in reversed(self.states) if since <= at)

    def apply(self, said: ledger.Input) -> None:
        """Tell the session *said*, held against every law."""
        self.now += 1
        taken = laws.step(self.session, said, self.now, self.rules)
        self.session = taken.after
        if steps.asks(taken):
            self.ends = 0
            if isinstance(said, ledger.ReturnTaken):
                self.returned_at = self.now
            else:
                self.woken_at = self.now
        self.ends += taken.buried or ledger.SessionDenied() in taken.effects
        self.now += 1

    def act(self, action: Action) -> None:
        """Let one thing happen."""
        kind, number = action
        session = self.session
        if kind in _STATES:
            self.states.append((self.now, kind))
            self.now += 1
        elif kind in _EVENTS:
            self.apply(_EVENTS[kind]())
        elif kind == "wait":
            self.now += number * number * 50
        elif session is None:
            pass
        elif kind == "start" and session.flight is None and session.due_at is not None:
            self.now = max(self.now, session.due_at)
            self.apply(ledger.FetchStarting())
        elif kind == "crash":
            self.session = ledger.after_restart(session)
        elif kind == "silence" and session.flight is not None:
            error = (errors.Unsent, errors.ProviderTimeout)[number % 2]
            self.apply(ledger.FetchFailed(session.flight.seq, inputs.failure(error)))
        elif kind == "land" and session.flight is not None:
            self.land(session.flight.seq, number)

    def land(self, seq: int, number: int) -> None:
        """Let the fetch bring what a cache may hold: any state it asks to accept."""
        assert self.session is not None
        oldest = self.session.fresh_since
        assert oldest is not None
        self.read_at = oldest + (self.now - oldest) * number // 100
        self.read = self.state(self.read_at)
        verdict = _STATES[self.read]
        if verdict is None:
            failure = inputs.failure(errors.SessionNotFound)
            self.apply(ledger.FetchFailed(seq, failure))
        else:
            self.apply(
                ledger.FetchSucceeded(seq, inputs.result(verdict, at=self.read_at))
            )

    def be_quiet(self) -> None:
        """Let the provider answer until nothing is to be done, or polls go on."""
        for _ in range(_ENOUGH):
            session = self.session
            if session is None or not session.open:
                return
            if session.flight is None:
                self.act(("start", 0))
            elif self.session is not None:
                self.act(("land", 0))
            waits = self.session is None or self.session.pending_cause is None
            slow = not waits and self.session is not None and self.session.rechecks > 0
            if slow and self.session is not None and self.session.flight is None:
                return


@hypothesis.settings(deadline=None, max_examples=400)
@hypothesis.given(actions=_ACTIONS, polled=st.booleans())
@hypothesis.example(
    actions=[
        *[("callback", 0), ("start", 0), ("success", 0), ("callback", 0)],
        *[("crash", 0), ("start", 0), ("land", 0)],
    ],
    polled=False,
)
@hypothesis.example(
    actions=[("register", 0), ("success", 0), ("start", 0), ("return", 0)],
    polled=False,
)
@pytest.mark.timeout(120)
def test_what_stands_was_read_after_the_last_wake_up(
    actions: list[Action], *, polled: bool
) -> None:
    """When everything is quiet, the provider was asked after it, and that stands."""
    polling = policy.PollSchedule(max_attempts=3) if polled else policy.PollSchedule()
    world = _World(dataclasses.replace(inputs.FETCHED, polling=polling))
    for action in actions:
        world.act(action)
    world.be_quiet()

    if not max(world.woken_at, world.returned_at):
        return
    assert world.read_at >= world.woken_at
    assert steps.is_answered(world.session) or world.read_at >= world.returned_at
    session, said = world.session, _STATES[world.read]
    if said is None:
        assert world.ends or (session is not None and session.open)
    elif said.final:
        assert session is not None
        assert session.current_verdict is not None
        assert session.current_verdict.outcome is said.outcome
    else:
        assert session is not None
        assert session.current_verdict is not None or session.open


class _Gateway:
    """IDnow as it was seen: a cancellation is listed a moment after its result goes."""

    def __init__(self, world: "_Listed") -> None:
        self._world = world

    async def listed(
        self, name: str, *, limit_bytes: int
    ) -> tuple[dict[str, Any], int]:
        """Return a list as of now."""
        del limit_bytes
        world = self._world
        since, state = world.states[-1]
        listed = {"review": "pending", "open": "pending", "cancelled": "cancelled"}
        late = state == "cancelled" and world.now < since + _LAG
        number = {"identificationprocess": {"transactionnumber": "tx-1"}}
        found = [] if late or listed.get(state) != name else [number]
        return {"identifications": found}, world.now


class _Listed(_World):
    """The same with the real reader of IDnow's lists, at most once a minute."""

    def __init__(self, rules: policy.SourcePolicy) -> None:
        super().__init__(rules)
        self.lists = result_lists.ResultListCache(
            _Gateway(self),  # type: ignore[arg-type]  # -- what it needs of a gateway
            interval_ms=inputs.MINUTE,
            limit_bytes=1_000,
            reference_field=None,
            clock=self,
        )

    def now_ms(self) -> int:
        """Return the time, as a clock."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass, as a clock."""
        self.now += int(seconds * 1_000)

    def land(self, seq: int, number: int) -> None:
        """Ask for the single result, and then the lists."""
        del number
        assert self.session is not None
        state = self.state(self.now)
        if state == "success":
            self.apply(ledger.FetchSucceeded(seq, inputs.result(inputs.approved())))
            return
        assert self.session.fresh_since is not None
        try:
            found = asyncio.run(self.lists.find("tx-1", self.session.fresh_since))
        except errors.FetchError as error:
            self.apply(ledger.FetchFailed(seq, ledger.Failure.of(error)))
            return
        cancelled = found.origin == "cancelled"
        verdict = inputs.rejected() if cancelled else inputs.pending()
        self.apply(ledger.FetchSucceeded(seq, inputs.result(verdict)))


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(actions=_ACTIONS)
@hypothesis.example(
    [
        *[("success", 0), ("callback", 0), ("start", 0), ("land", 0)],
        *[("wait", 100), ("cancelled", 0), ("callback", 0)],
    ]
)
@pytest.mark.timeout(120)
def test_a_withdrawn_approval_is_found_behind_the_lists(actions: list[Action]) -> None:
    """However old the lists are: after a wake-up, success and cancelled are found."""
    world = _Listed(inputs.FETCHED)
    for action in actions:
        world.act(action)
    truth = world.states[-1][1]
    world.apply(ledger.CallbackTaken(inputs.event()))
    world.be_quiet()

    verdict = _STATES[truth]
    if verdict is not None and verdict.final:
        assert world.session is not None
        assert world.session.current_verdict is not None
        assert world.session.current_verdict.outcome is verdict.outcome
