"""id beyond: every row of the table of its two words."""

from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import model
from worker.providers import idbeyond

_SESSION = adapters.UUID
_COMPLETED = "verification.completed"


def _settings(**settings: object) -> idbeyond.Settings:
    given = {"environment": "test", "api_key": "sk_test_synthetic"} | settings
    return idbeyond.Settings.model_validate(given)


def _adapter(**settings: object) -> idbeyond.Adapter:
    return idbeyond.Adapter("a", _settings(**settings), clocks.SystemClock())


def _completed(**changes: object) -> dict[str, Any]:
    return {"event": _COMPLETED, "verificationSessionId": _SESSION} | changes


def _wake(document: dict[str, Any], **settings: object) -> model.WakeUp:
    normalised = _adapter(**settings).normalise(adapters.callback(document))
    assert isinstance(normalised, model.WakeUp)
    return normalised


def _claim(words: dict[str, Any], **settings: object) -> model.Claim:
    """Take *words* the whole way: from the body to what the event claims."""
    wake = _wake(_completed(**words), **settings)
    event = adapters.event(wake.provider_event, dict(wake.claim), 5)
    claim = _adapter(**settings).claim(event)
    assert claim is not None
    return claim


_APPROVED = ("approved", "verified", ())
_DECLINED = ("rejected", "declined", ())
_REVIEW = ("pending", "under_review", ())
_PROGRESS = ("pending", "in_progress", ())
_UNKNOWN = ("pending", "unrecognised_result", ("unrecognised_result",))
_CONTRADICTION = ("pending", "unrecognised_result", ("contradictory_result",))
_ABSENT = object()

ROWS = [
    ("approved", "approved", _APPROVED),
    ("approved", _ABSENT, _APPROVED),
    ("approved", "none", _CONTRADICTION),
    ("approved", "pending_review", _CONTRADICTION),
    ("approved", "pending", _CONTRADICTION),
    ("approved", "rejected", _CONTRADICTION),
    ("approved", "something_new", _UNKNOWN),
    ("approved", None, _UNKNOWN),
    ("approved", "", _UNKNOWN),
    ("approved", "Approved", _UNKNOWN),
    ("approved", True, _UNKNOWN),
    ("approved", ["approved"], _UNKNOWN),
    ("rejected", "rejected", _DECLINED),
    ("rejected", _ABSENT, _DECLINED),
    ("rejected", "pending_review", _REVIEW),
    ("rejected", "pending", _REVIEW),
    ("rejected", "none", _CONTRADICTION),
    ("rejected", "approved", _CONTRADICTION),
    ("rejected", "something_new", _UNKNOWN),
    ("rejected", None, _UNKNOWN),
    (None, "rejected", _DECLINED),
    (_ABSENT, "rejected", _DECLINED),
    (None, "pending_review", _REVIEW),
    (_ABSENT, "pending_review", _REVIEW),
    (None, "pending", _REVIEW),
    (_ABSENT, "pending", _REVIEW),
    (None, "none", _PROGRESS),
    (_ABSENT, "none", _PROGRESS),
    (None, _ABSENT, _PROGRESS),
    (_ABSENT, _ABSENT, _PROGRESS),
    (None, "approved", _UNKNOWN),
    (_ABSENT, "approved", _UNKNOWN),
    (None, "something_new", _UNKNOWN),
    (None, None, _UNKNOWN),
    *(
        (decision, review, _UNKNOWN)
        for decision in (
            "pending",
            "APPROVED",
            "approved ",
            "approved\n",
            "\uff41pproved",
            "",
            1,
            True,
            ["approved"],
            {"approved": True},
        )
        for review in ("approved", "rejected", "pending_review", _ABSENT)
    ),
]


def _words(decision: object, review: object) -> dict[str, Any]:
    words = {"decision": decision, "reviewStatus": review}
    return {name: word for name, word in words.items() if word is not _ABSENT}


@pytest.mark.parametrize(("decision", "review", "expected"), ROWS)
def test_each_row_of_the_table(
    decision: object, review: object, expected: tuple[Any, ...]
) -> None:
    """The pair of words means the same in a signed callback and in a result."""
    words = _words(decision, review)
    claim = _claim(words)
    assert model.ClaimKind.SIGNED is claim.kind
    assert claim.verdict.provider_time == 5
    assert expected == (claim.verdict.outcome, claim.verdict.reason, claim.alarms)
    result = _adapter(result="fetch").interpret(
        adapters.key(), _SESSION, adapters.answer({"sessionId": _SESSION} | words)
    )
    assert expected == (result.verdict.outcome, result.verdict.reason, result.alarms)


@pytest.mark.parametrize(("decision", "review", "expected"), ROWS)
def test_a_review_alone_approves_only_if_asked(
    decision: object, review: object, expected: tuple[Any, ...]
) -> None:
    """The setting changes the one row without a decision, and no other."""
    claim = _claim(_words(decision, review), approve_on_review_status=True)
    if decision in (None, _ABSENT) and review == "approved":
        expected = _APPROVED
    assert expected == (claim.verdict.outcome, claim.verdict.reason, claim.alarms)


@pytest.mark.parametrize(
    ("decision", "review", "status"),
    [
        ("approved", "pending_review", "approved"),
        (None, "pending_review", "pending_review"),
        ("Ivanov", "approved", "unlisted"),
        (None, "Ivanov", "unlisted"),
        (_ABSENT, _ABSENT, None),
    ],
)
def test_the_status_is_told_in_words_of_the_table(
    decision: object, review: object, status: str | None
) -> None:
    """The decision's word, else the review's; whatever is in no table is unlisted."""
    assert status == _claim(_words(decision, review)).verdict.provider_status


def test_absent_and_unlisted_are_not_the_same() -> None:
    """The event tells a missing word from one that is in no table."""
    for held, word in ((_ABSENT, None), (None, "unlisted"), (1, "unlisted")):
        wake = _wake(_completed(**_words("approved", held)))
        assert {"decision": "approved", "reviewStatus": word} == wake.claim


def test_nothing_is_claimed_where_the_result_is_fetched() -> None:
    """With a fetch the callback is a wake-up and no more."""
    event = adapters.event(_COMPLETED, {"decision": "approved", "reviewStatus": None})
    assert _adapter(result="fetch").claim(event) is None
    assert _adapter().claim(event) is not None


def test_an_event_that_is_no_verdict_claims_nothing() -> None:
    """A recheck or a registration has no words, and so says nothing."""
    assert _adapter().claim(adapters.event("unlisted", {})) is None


def test_words_of_another_release_are_held_against_the_table_again() -> None:
    """A record of the topic is not believed further than its words."""
    words = {"decision": "accepted", "reviewStatus": None}
    claim = _adapter().claim(adapters.event(_COMPLETED, {**words}))
    assert claim is not None
    assert claim.verdict.outcome is model.Outcome.PENDING
    assert claim.verdict.provider_status == "unlisted"
