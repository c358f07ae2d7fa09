"""Say how one simulated session goes: what it ends in, and what goes wrong before."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from worker import model


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    One session's course; the counts are result calls, in the order listed here.

    A provider without a result call (id beyond) reads *pending_first* as callbacks
    that come before the last one.
    """

    outcome: model.Outcome = model.Outcome.APPROVED
    hang: int = 0  #: calls that are never answered
    errors: int = 0  #: calls answered with *error_status*
    error_status: int = 503
    retry_after: str | None = None  #: sent with those errors, as is
    not_ready: int = 0  #: calls answered as the provider does before there is a result
    pending_first: int = 0  #: calls answered with a preliminary result
    latency_s: float = 0.0  #: before every answer
    #: the provider's own words instead of the outcome's usual ones
    status: str | None = None
    reason: str | None = None
    unknown_word: bool = False  #: a status word that no table has
    #: no result call knows the session
    denied: bool = False
    callback_delay_s: float = 0.0  #: before the first callback, and between them
    repeat: int = 0  #: copies of every callback beside the first
    reorder: bool = False  #: the last callback comes first
    missing: bool = False  #: no callback comes at all
    bad_signature: bool = False  #: every callback is forged

    @classmethod
    def of(cls, values: object) -> "Scenario":
        """Return the scenario that a JSON object describes; raises ValueError."""
        if not isinstance(values, Mapping):
            raise ValueError("a scenario is an object")  # noqa: TRY004 -- as documented
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(values) - known:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        given: dict[str, Any] = dict(values)
        if "outcome" in given:
            given["outcome"] = model.Outcome(given["outcome"])
        return cls(**given)


UNKNOWN_WORD = "SOMETHING_NEW"


class ResponseKind(enum.StrEnum):
    """What a result call is answered with."""

    HANG = "hang"
    ERROR = "error"
    NOT_READY = "not_ready"
    PENDING = "pending"
    OUTCOME = "outcome"
    UNFINISHED = "unfinished"  #: the person is not through, and may never be


class PersonState(enum.StrEnum):
    """How far the person of a session is."""

    BEGUN = "begun"
    ABANDONED = "abandoned"
    FINISHED = "finished"


@dataclasses.dataclass(slots=True)
class SimulatedSession:
    """
    One session at the simulated provider; *calls* counts its result calls.

    A session that a begin call made is *begun* and has no result until a person
    finishes it, with a scenario of their own; one that is added is finished.
    """

    session_id: str
    scenario: Scenario
    reference: str | None = None
    calls: int = 0
    standing: PersonState = PersonState.FINISHED
    #: where the person's browser goes in the end, if the begin call said
    return_url: str | None = dataclasses.field(default=None, repr=False)
    #: where this session's callbacks go, if the begin call said (id beyond)
    webhook_url: str | None = dataclasses.field(default=None, repr=False)

    def turn(self) -> ResponseKind:
        """Count one result call and return what it is answered with."""
        if self.standing is not PersonState.FINISHED:
            return ResponseKind.UNFINISHED
        call, self.calls = self.calls, self.calls + 1
        return self._turn(call)

    @property
    def ended(self) -> bool:
        """Return whether the last result call was answered with the outcome."""
        return self.calls > 0 and self._turn(self.calls - 1) is ResponseKind.OUTCOME

    def _turn(self, call: int) -> ResponseKind:
        for turn, many in (
            (ResponseKind.HANG, self.scenario.hang),
            (ResponseKind.ERROR, self.scenario.errors),
            (ResponseKind.NOT_READY, self.scenario.not_ready),
            (ResponseKind.PENDING, self.scenario.pending_first),
        ):
            if call < many:
                return turn
            call -= many
        return ResponseKind.OUTCOME


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCallback:
    """One request that the provider makes to the ingress."""

    delay_s: float  #: after the one before it
    method: str
    path: str = dataclasses.field(repr=False)  #: with the query; may hold the URL token
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDecision:
    """What the decisions of a session must end in, for whoever checks them."""

    outcome: model.Outcome
    provider_status: str  #: as the decision tells it: ``unlisted`` for unknown words
    heard: bool  #: an authentic callback tells of the session


def schedule(
    scenario: Scenario, callbacks: list[OutgoingCallback]
) -> list[OutgoingCallback]:
    """Return *callbacks* as the scenario sends them: lost, repeated, out of order."""
    if scenario.missing:
        return []
    if scenario.reorder:
        callbacks = [*callbacks[-1:], *callbacks[:-1]]
    return [
        dataclasses.replace(callback, delay_s=scenario.callback_delay_s)
        for callback in callbacks
        for _ in range(1 + scenario.repeat)
    ]


def truth(scenario: Scenario, status: str) -> ExpectedDecision | None:
    """
    Return what the session ends in once somebody looks, or None if it is denied.

    *status* is the provider's word for the outcome.
    """
    if scenario.denied:
        return None
    heard = not (scenario.bad_signature or scenario.missing)
    if scenario.unknown_word:
        return ExpectedDecision(
            outcome=model.Outcome.PENDING, provider_status="unlisted", heard=heard
        )
    return ExpectedDecision(
        outcome=scenario.outcome, provider_status=status, heard=heard
    )
