"""Version 2 of a session's record: half of version 1, and nothing less in it."""

import orjson
import pytest

from worker import codec, errors, ledger, model, policy

_AT = 1_795_255_810_000
_ENDED = ledger.Session(
    provider_session_id="9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3",
    first_seen_at=_AT,
    updated_at=_AT + 900,
    revision=1,
    current_verdict=policy.approved(status="FINISHED"),
    observed_at=_AT + 890,
    fetch_seq=1,
    last_fetch_at=_AT + 10,
)
_OPEN = _ENDED._replace(due_at=_AT + 60_000)


def _held(session: ledger.Session = _ENDED) -> dict[str, object]:
    document: dict[str, object] = orjson.loads(codec.encode_session(session, 2))
    return document


def test_what_every_ended_session_has_is_one_list() -> None:
    """Names, repeated digits of times and words are what version 1 spends bytes on."""
    listed = [_ENDED.provider_session_id, _AT, 900, 1, 1, 10, 890, ["avf", "FINISHED"]]

    assert _held() == {"v": 2, "e": listed}


def test_an_ended_session_is_smaller_yet() -> None:
    """Half of version 1, and within 150 bytes with a mark and a short reference."""
    mark = "5d2c8e107b444c399f0ab83e"
    signed = _ENDED._replace(seen_delivery_ids=(mark,), reference="c-1")

    assert len(codec.encode_session(_ENDED, 2)) < 105
    assert len(codec.encode_session(signed, 2)) <= 150
    assert len(codec.encode_session(_ENDED, 1)) > 2 * len(
        codec.encode_session(_ENDED, 2)
    )


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (policy.approved(status="OK"), ["avf", "OK"]),
        (policy.pending(model.Reason.IN_PROGRESS, status=None), ["pipw"]),
        (
            model.Verdict(
                outcome=model.Outcome.REJECTED,
                reason=model.Reason.DOCUMENT_INVALID,
                retryable=True,
                next_step=model.NextStep.NEW_SESSION,
                flags=(model.Flag.UNCONFIRMED,),
                provider_time=7,
            ),
            ["rdinr", None, None, 7, ["unconfirmed"]],
        ),
    ],
)
def test_a_verdict_is_a_code(verdict: model.Verdict, expected: list[object]) -> None:
    """What a verdict says in words is one code; what it has not is not there."""
    session = _ENDED._replace(current_verdict=verdict)
    listed = _held(session)["e"]

    assert isinstance(listed, list)
    assert expected == listed[-1]
    assert codec.read_session(codec.encode_session(session, 2)) == session


def test_every_verdict_has_a_code_of_its_own() -> None:
    """No two verdicts are written alike, whatever the words."""
    seen = set()
    for outcome in model.Outcome:
        for reason in model.Reason:
            for step in model.NextStep:
                for retryable in (False, True):
                    verdict = model.Verdict(
                        outcome=outcome,
                        reason=reason,
                        next_step=step,
                        retryable=retryable,
                    )
                    session = _ENDED._replace(current_verdict=verdict)
                    value = codec.encode_session(session, 2)
                    assert codec.read_session(value) == session
                    seen.add(value)

    words = len(model.Outcome) * len(model.Reason) * len(model.NextStep) * 2
    assert len(seen) == words


def test_an_open_session_stands_under_another_name() -> None:
    """A restore tells by one byte which sessions it must decode."""
    flight = ledger.Flight(
        seq=2, started_at=_AT, cause=model.Cause(type=model.CauseType.POLL)
    )
    flying = _ENDED._replace(flight=flight)

    for session in (_OPEN, flying):
        assert list(_held(session))[:2] == ["v", "o"]
        assert codec.has_open_state(codec.encode_session(session, 2))
    assert not codec.has_open_state(codec.encode_session(_ENDED, 2))


def test_times_may_lie_before_the_first() -> None:
    """A clock that was put back, or a provider's own, makes no record unreadable."""
    odd = _ENDED._replace(updated_at=0, observed_at=_AT - 5)

    assert codec.read_session(codec.encode_session(odd, 2)) == odd


def test_unknown_fields_are_kept_from_version_to_version() -> None:
    """A field that a newer release wrote survives whichever version is written."""
    newer = orjson.dumps({**_held(), "vault": {"key": [1]}})

    as_long = codec.encode_session(codec.read_session(newer), 1)
    again = codec.encode_session(codec.read_session(as_long), 2)

    assert orjson.loads(newer) == orjson.loads(again)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("e", ["a", 1, 0, 0, 0, None, None, ["avf"], 1]),
        ("e", ["a", 1, 0, 0, 0, None, None, ["avf", None, None, None, None, 1]]),
        ("wanted", {"type": "poll", "newer": 1}),
        ("v", 3),
    ],
)
def test_what_cannot_be_kept_is_not_taken_over(name: str, value: object) -> None:
    """A longer list is a newer release's: writing it again would lose what it holds."""
    with pytest.raises(errors.UnknownVersion):
        codec.read_session(orjson.dumps({**_held(), name: value}))


@pytest.mark.parametrize(
    "change",
    [
        {"e": None},
        {"e": {}},
        {"e": ["a", 1]},
        {"e": ["a", "1", 0]},
        {"e": ["a", 1, "0"]},
        {"e": ["a", 1, None]},
        {"e": ["a", 1, True]},
        {"e": [1, 1, 0]},
        {"e": ["a", 1, 0, False]},
        {"e": ["a", 1, 0, 1, "1"]},
        {"e": ["a", 1, 0, 1, 1, "1"]},
        {"e": ["a", 1, 0, 1, 1, 1, 1.5]},
        {"e": ["a", 1, 0, 1, 1, 1, 1, []]},
        {"e": ["a", 1, 0, 1, 1, 1, 1, "avf"]},
        {"e": ["a", 1, 0, 1, 1, 1, 1, [1]]},
        {"e": ["a", 1, 0, 1, 1, 1, 1, ["xyz"]]},
        {"e": ["a", 1, 0, 1, 1, 1, 1, ["avf", 1]]},
        {"id": "a"},
        {"at": 1},
        {"o": ["a", 1, 0]},
        {"due": 1},
        {"due": 1, "o": ["a", 1, 0]},
        {"seen": "abc"},
        {"v": 2.0},
    ],
)
def test_what_was_never_written_is_malformed(change: dict[str, object]) -> None:
    """A list of other things, or what contradicts it, is refused."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_session(orjson.dumps({**_held(), **change}))
