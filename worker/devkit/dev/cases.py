"""List what ``--once`` plays, and what must come of it."""

import dataclasses
import enum
from collections.abc import Iterator
from typing import NamedTuple

from worker import model, providers
from worker.devkit import simulators
from worker.devkit.dev import sample_config
from worker.devkit.simulators import Scenario


class Step(NamedTuple):
    """What one revision says."""

    outcome: model.Outcome
    reason: model.Reason


class Name(enum.StrEnum):
    """The scenarios that every provider plays."""

    APPROVED = "approved"
    REJECTED = "rejected"
    PENDING = "pending"
    PENDING_THEN_APPROVED = "pending then approved"
    REPEATED = "repeated callback"
    BAD_SIGNATURE = "bad signature"
    NOT_READY = "not ready yet"
    PROVIDER_ERROR = "provider error then success"
    UNKNOWN_STATUS = "unknown status word"
    BEGUN = "begun here"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One session: *acts* follow each other, *expected* are all of its revisions."""

    source: str
    name: Name
    acts: tuple[Scenario, ...]
    expected: tuple[Step, ...]
    #: the ingress's answer to every callback
    answer: int = 200

    @property
    def reference(self) -> str | None:
        """Return what the company calls the person, where our api begins it."""
        return f"once-{self.source}" if self.name is Name.BEGUN else None


_ACCEPTED, _REFUSED = 200, 401
_BETWEEN_S = 0.2

_APPROVED = Step(model.Outcome.APPROVED, model.Reason.VERIFIED)
_UNRECOGNISED = Step(model.Outcome.PENDING, model.Reason.UNRECOGNISED_RESULT)
_IN_PROGRESS = Step(model.Outcome.PENDING, model.Reason.IN_PROGRESS)


def every() -> Iterator[Case]:
    """Yield each provider's cases, all scenarios for each."""
    for source in sample_config.names():
        for name in scenarios(source):
            yield _case(source, name)


def scenarios(provider: str) -> tuple[Name, ...]:
    """Return what *provider* plays: a session is started here only if it can be."""
    starts = providers.REGISTRY[provider].build_starter is not None
    return tuple(name for name in Name if starts or name is not Name.BEGUN)


def _case(source: str, name: Name) -> Case:  # noqa: PLR0911 -- one for each scenario
    simulator = simulators.find(source)
    pending = Step(model.Outcome.PENDING, simulator.pending)
    match name:
        case Name.APPROVED | Name.BEGUN:
            return _of(source, name, Scenario(), _APPROVED)
        case Name.REJECTED:
            scenario = Scenario(outcome=model.Outcome.REJECTED)
            step = Step(model.Outcome.REJECTED, simulator.rejected)
            return _of(source, name, scenario, step)
        case Name.PENDING:
            scenario = Scenario(outcome=model.Outcome.PENDING)
            return _of(source, name, scenario, pending)
        case Name.PENDING_THEN_APPROVED:
            scenario = Scenario(pending_first=1, callback_delay_s=_BETWEEN_S)
            return _of(source, name, scenario, pending, _APPROVED)
        case Name.REPEATED:
            return _of(source, name, Scenario(repeat=2), _APPROVED)
        case Name.BAD_SIGNATURE:
            return dataclasses.replace(
                _of(source, name, Scenario(bad_signature=True)), answer=_REFUSED
            )
        case Name.NOT_READY:
            return _not_ready(source, name)
        case Name.PROVIDER_ERROR:
            # A signed callback is its own result: id beyond errs where it is asked.
            asked = sample_config.FETCHED if source == sample_config.SIGNED else source
            return _of(asked, name, Scenario(errors=2), _APPROVED)
        case Name.UNKNOWN_STATUS:
            return _of(source, name, Scenario(unknown_word=True), _UNRECOGNISED)


def _not_ready(source: str, name: Name) -> Case:
    """Return a result that is still being made, in each provider's own way."""
    if source != sample_config.SIGNED:
        unfinished = simulators.find(source).unfinished
        first = [] if unfinished is None else [Step(model.Outcome.PENDING, unfinished)]
        return _of(source, name, Scenario(not_ready=2), *first, _APPROVED)
    unready = Scenario(outcome=model.Outcome.PENDING, status="none")
    return Case(
        source=source,
        name=name,
        acts=(unready, Scenario(callback_delay_s=_BETWEEN_S)),
        expected=(_IN_PROGRESS, _APPROVED),
    )


def _of(source: str, name: Name, scenario: Scenario, *expected: Step) -> Case:
    return Case(source=source, name=name, acts=(scenario,), expected=expected)
