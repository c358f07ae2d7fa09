"""Say what may come to a session, in every order, and what that must have led to."""

import dataclasses

from tests.support import inputs
from tests.support import ledger_steps as steps
from worker import errors, ledger, model, policy

_CALLBACK = ledger.CallbackTaken(inputs.event())
_NAMED = ledger.CallbackTaken(inputs.event(provider_event_id="e"))
_CLAIM = ledger.CallbackTaken(inputs.event(), inputs.unconfirmed())
_HINT = ledger.CallbackTaken(inputs.event(), inputs.hint(inputs.approved()))
_RECHECK = ledger.RecheckTaken(inputs.event(model.EventType.RECHECK_REQUESTED))
_REGISTERED = ledger.RegistrationTaken(
    inputs.event(
        model.EventType.SESSION_REGISTERED, reference="order-1", begin_id="begin"
    )
)
_RETURNED = ledger.ReturnTaken(
    inputs.event(model.EventType.SESSION_RETURNED, begin_id="begin")
)
_STRANGER = ledger.ReturnTaken(
    inputs.event(model.EventType.SESSION_RETURNED, begin_id="another")
)

Event = (
    ledger.CallbackTaken
    | ledger.RecheckTaken
    | ledger.RegistrationTaken
    | ledger.ReturnTaken
)
Answer = model.Result | ledger.Failure | None

_FAULT = inputs.failure(errors.ProviderFault)
_SILENCE = inputs.failure(errors.ProviderTimeout)
_NOT_READY = inputs.failure(errors.NotReady)
_DENIED = inputs.failure(errors.SessionNotFound)
_MISMATCH = inputs.failure(errors.ResultMismatch)
_ACCOUNT = inputs.failure(errors.ProviderAuthFailed)
#: The mapping begins, and what comes after that may be the end of the process.
_MAPPING = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Theme:
    """What may come, how much of it in a row, and what that must have led to."""

    events: tuple[Event, ...]
    answers: tuple[Answer, ...]
    #: how many inputs deep; None for all there is to reach
    depth: int | None
    reaches: frozenset[str]
    rules: policy.SourcePolicy = steps.QUICK


_APPROVED, _REJECTED, _PENDING = map(
    inputs.result, (inputs.approved(), inputs.rejected(), inputs.pending())
)
_REFERRED = inputs.result(inputs.pending(), reference="order-1")
_PROGRESS = inputs.result(inputs.pending(model.Reason.IN_PROGRESS))
_OTHERS = inputs.result(inputs.approved(), reference="order-2")
_SIGNED = ledger.CallbackTaken(
    inputs.event(reference="order-1"), inputs.signed(inputs.approved(at=1))
)
_SIGNED_OTHERS = ledger.CallbackTaken(
    inputs.event(reference="order-2"), inputs.signed(inputs.approved(at=1))
)

THEMES = {
    "everything": Theme(
        events=(_CALLBACK, _NAMED, _CLAIM, _HINT, _RECHECK),
        answers=(
            *(_APPROVED, _REJECTED, _PENDING, _REFERRED),
            *(_FAULT, _SILENCE, _NOT_READY, _DENIED, _MISMATCH, _ACCOUNT, _MAPPING),
        ),
        depth=6,
        reaches=frozenset({"approved", "rejected", "pending"}),
    ),
    "wake-ups": Theme(
        events=(_CALLBACK, _NAMED, _RECHECK),
        answers=(_APPROVED, _PENDING, _FAULT),
        depth=None,
        reaches=frozenset({"approved", "pending", "forgotten", "fetch_exhausted"}),
    ),
    "denials": Theme(
        events=(_CALLBACK, _CLAIM),
        answers=(_DENIED, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset(
            {"denied", "rejected", "fetch_exhausted", "conflicting_final"}
        ),
    ),
    "outages": Theme(
        events=(_CALLBACK,),
        answers=(_FAULT, _SILENCE, _ACCOUNT, _NOT_READY, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset({"approved", "pending", "fetch_exhausted"}),
    ),
    "trouble": Theme(
        events=(_CALLBACK,),
        answers=(_MISMATCH, _MAPPING, _FAULT, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset({"pending", "result_mismatch", "quarantined"}),
    ),
    "registered": Theme(
        events=(_REGISTERED, _RETURNED, _STRANGER, _CALLBACK),
        answers=(_PROGRESS, _NOT_READY, _APPROVED, _FAULT),
        depth=9,
        reaches=frozenset({"approved", "pending", "not_completed"}),
        rules=steps.POLLED,
    ),
    "silence": Theme(
        events=(_REGISTERED,),
        answers=(_PROGRESS, _NOT_READY, _PENDING, _FAULT, _SILENCE, _DENIED, _APPROVED),
        depth=12,
        reaches=frozenset({"approved", "pending", "not_completed", "denied"}),
        rules=steps.POLLED,
    ),
    "references": Theme(
        events=(_REGISTERED, _CALLBACK),
        answers=(_REFERRED, _OTHERS, _APPROVED),
        depth=None,
        reaches=frozenset({"approved", "pending", "reference_mismatch"}),
    ),
    "strangers": Theme(
        events=(_REGISTERED, _CALLBACK, _CLAIM, _RECHECK, _RETURNED),
        answers=(_APPROVED, _NOT_READY, _DENIED),
        depth=7,
        reaches=frozenset({"approved", "unknown"}),
        rules=steps.KNOWN,
    ),
    "signed": Theme(
        events=(_REGISTERED, _SIGNED, _SIGNED_OTHERS, _RETURNED),
        answers=(),
        depth=None,
        reaches=frozenset({"approved", "reference_mismatch"}),
        rules=steps.UNPOLLABLE,
    ),
    "signed strangers": Theme(
        events=(_REGISTERED, _SIGNED, _SIGNED_OTHERS, _RETURNED),
        answers=(),
        depth=None,
        reaches=frozenset({"approved", "reference_mismatch", "unknown"}),
        rules=steps.STRICT,
    ),
}
