"""Identomat: what its callbacks become, and what may be configured."""

from typing import Any

import pydantic
import pytest

from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat

_SESSION = "wwb83rh1se22wd81z0tx8bqlerljq5kgf6rxem1q"
_COMPANY = "synthetic-company-key"


def _adapter(**settings: object) -> identomat.Adapter:
    given = {"environment": "test", "company_key": _COMPANY} | settings
    return identomat.Adapter(
        "identomat", identomat.Settings.model_validate(given), clocks.SystemClock()
    )


def _callback(
    document: dict[str, Any] | None, query: dict[str, str] | None = None
) -> model.VerifiedCallback:
    return model.VerifiedCallback(
        source="identomat",
        document=document,
        query=query or {},
        digest="0" * 64,
        received_at=0,
    )


@pytest.mark.parametrize("document", [{}, {"sessionId": 5}, {"sessionId": "../x"}])
@pytest.mark.parametrize(
    "kind",
    [
        "one-time-password-request",
        "email-one-time-password-request",
        "share-session-link-via-sms",
        "share-session-link-via-email",
    ],
)
def test_messages_are_messages(kind: str, document: dict[str, Any]) -> None:
    """Each of the four types is to be delivered, whatever its session id is."""
    body = document | {"type": kind, "text": "Your code is 0000"}

    assert _adapter().normalise(_callback(body)) == model.ForwardedMessage(kind, body)


def test_a_message_keeps_its_text_out_of_repr() -> None:
    """A one-time code is not printed."""
    body = {"type": "one-time-password-request", "text": "Your code is 6867"}

    assert "6867" not in repr(_adapter().normalise(_callback(body)))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("session-finished", "session-finished"),
        ("something-new", "unlisted"),
        ("One-Time-Password-Request", "unlisted"),
        (None, "unlisted"),
        (5, "unlisted"),
        (["one-time-password-request"], "unlisted"),
        ({}, "unlisted"),
    ],
)
def test_any_other_type_wakes(kind: object, expected: str) -> None:
    """Only a configured word is told; the session id stays as it is spelt."""
    adapter = _adapter(event_types=["session-finished"])

    wake = adapter.normalise(_callback({"type": kind, "sessionId": _SESSION}))

    assert wake == model.WakeUp(
        session_id=_SESSION, provider_session_id=_SESSION, provider_event=expected
    )


@pytest.mark.parametrize(
    "session_id",
    [
        None,
        True,
        0,
        [],
        [_SESSION],
        {"id": _SESSION},
        "",
        _SESSION[:-1],
        _SESSION + "a",
        _SESSION.upper(),
        f"{_SESSION[:-1]}/",
        f"{_SESSION[:-2]}..",
        f"{_SESSION[:-3]}%2f",
        f"{_SESSION[:-1]}\0",
        f"{_SESSION}\n",
        f" {_SESSION}",
        _SESSION.replace("2", "\u0662"),
        _SESSION.replace("k", "\u212a"),
        _SESSION.replace("s", "\u017f"),
        "\ud800" + _SESSION[1:],
        "a" * 300,
    ],
    ids=ascii,
)
def test_no_session_id_is_unmappable(session_id: object) -> None:
    """What is not exactly the pattern is our fault or news, told without values."""
    body = {"type": "x", "sessionId": session_id, "planted": "secret"}
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(_callback(body))

    assert caught.value.known_keys == ("sessionId", "type")
    assert caught.value.other_keys == 1
    assert not caught.value.acknowledge


def test_the_pattern_is_a_setting() -> None:
    """Another shape of session ids is a matter of configuration, in ASCII."""
    adapter = _adapter(session_id_pattern=r"\w{4}")

    wake = adapter.normalise(_callback({"sessionId": "Ab_9"}))

    assert isinstance(wake, model.WakeUp)
    assert wake.session_id == "Ab_9"
    with pytest.raises(errors.UnmappableCallback):
        adapter.normalise(_callback({"sessionId": "\u0662\u0662\u0662\u0662"}))


def test_a_get_names_its_session_in_the_query() -> None:
    """Without a body the configured parameter counts, and no other."""
    adapter = _adapter(session_id_query="session_token")

    wake = adapter.normalise(_callback(None, {"session_token": _SESSION}))

    assert isinstance(wake, model.WakeUp)
    assert wake.session_id == _SESSION
    for query in ({}, {"session": _SESSION}, {"session_token": "x"}):
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(_callback(None, query))
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(None, {"session_token": _SESSION}))


def test_a_callback_claims_nothing() -> None:
    """Whatever it says, only the fetched result decides."""
    event = model.Event(
        event_id="e",
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="identomat",
        provider="identomat",
        session_id=_SESSION,
        provider_session_id=_SESSION,
        received_at=0,
        claim={"result": "approved"},
    )

    assert _adapter().claim(event) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"company_key": ""},
        {"company_key": "a\nb"},
        {"path_prefix": "external-api"},
        {"path_prefix": "/a/../b"},
        {"path_prefix": "/a?x=1"},
        {"path_prefix": "/a\n"},
        {"session_id_pattern": "["},
        {"status_words": {"approved": "manual_check"}},
        {"status_words": {"rejected": "in_progress"}},
        {"status_words": {"ok": "approved"}},
        {"reject_reasons": {"ok": "verified"}},
        {"otp_messages": "deliver"},
        {"otp_messages": "discard", "forward_messages_to": "https://sms.example/kyc"},
        {"forward_messages_to": "http://sms.example/kyc"},
        {"provider": "idnow"},
    ],
)
def test_bad_settings_are_refused(changes: dict[str, Any]) -> None:
    """No setting can approve, leave https or build another path."""
    with pytest.raises(pydantic.ValidationError):
        _adapter(**changes)


@pytest.mark.parametrize("prefix", ["", "/external-api", "/a/b"])
def test_the_prefix_may_be_another_or_none(prefix: str) -> None:
    """The guide has no prefix, the reference has one."""
    settings = identomat.Settings.model_validate(
        {"environment": "test", "company_key": "k", "path_prefix": prefix}
    )

    assert settings.path_prefix == prefix
    assert settings.default_authenticate == ("signed_url", "body_key")
