"""id beyond: a begin as it goes over the wire, and what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import idbeyond
from worker.providers.idbeyond import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "sk_test_synthetic"
_SECRET = "synthetic-webhook-secret"
_MADE: dict[str, Any] = {
    "ok": True,
    "sessionId": adapters.UUID,
    "token": "kvs_old",
    "clientSecret": "kvs_new",
    "hostedUrl": f"https://verify.uniicy.com/flow/{adapters.UUID}?token=kvs_new",
    "expiresAt": "2026-04-17T09:15:00.000Z",
}


def _beginner(
    **settings: Any,  # noqa: ANN401 -- settings
) -> start.SessionStarter:
    given = {"environment": "test", "api_key": _KEY, "publishable_key": "pk_test_1"}
    configured = idbeyond.Settings.model_validate(given | settings)
    return start.SessionStarter("source", configured, clocks.SystemClock())


async def _begun(
    provider: starts.Provider,
    serve: Serve,
    request: model.BeginRequest | None = None,
    **settings: Any,  # noqa: ANN401 -- settings
) -> model.StartedSession:
    beginner = _beginner(base_url=await serve(provider.answer), **settings)
    try:
        return await beginner.begin(request or starts.request())
    finally:
        await beginner.close()


def _made(**changes: object) -> starts.Provider:
    """Return the provider with the documented answer; None removes a field."""
    document = {k: v for k, v in (_MADE | changes).items() if v is not None}
    return starts.Provider(body=orjson.dumps(document))


def _refused(request: model.BeginRequest, **settings: object) -> list[str]:
    problems: dict[str, str] = {}
    try:
        _beginner(**settings).check(request)
    except errors.InvalidBeginRequest as refused:
        problems = refused.problems
    assert starts.MARKER not in str(problems)
    return sorted(problems)


def _params(**params: object) -> model.BeginRequest:
    return starts.request(provider_params=params)


# -- what is sent


async def test_our_own_words_go_with_every_session(serve: Serve) -> None:
    """The reference twice, the begin id, our ingress, and the first of the secrets."""
    provider = _made()
    request = starts.request(webhook_url="https://kyc.example.com/webhooks/source/t")
    await _begun(provider, serve, request, hmac_secrets=[_SECRET, "o" * 16])

    assert provider.sent == {
        "externalUserId": "customer-17",
        "returnUrl": "https://kyc.example.com/return/source/ticket",
        "webhookUrl": "https://kyc.example.com/webhooks/source/t",
        "webhookSecret": _SECRET,
        "metadata": {"kyc_begin_id": "b" * 43, "kyc_reference": "customer-17"},
    }
    assert provider.calls[0].headers["Authorization"] == f"Bearer {_KEY}"


async def test_what_was_sent_is_understood_when_it_comes_back(serve: Serve) -> None:
    """The metadata of a callback names the reference and the begin, under any name."""
    for field in ("kyc_reference", "order"):
        provider = _made()
        await _begun(provider, serve, reference_field=field)
        settings = idbeyond.Settings.model_validate(
            {"environment": "test", "api_key": _KEY, "reference_field": field}
        )
        adapter = idbeyond.Adapter("source", settings, clocks.SystemClock())
        wake = adapter.normalise(
            adapters.callback(
                {
                    "event": "verification.completed",
                    "verificationSessionId": adapters.UUID,
                    "metadata": provider.sent["metadata"],
                }
            )
        )
        assert isinstance(wake, model.WakeUp)
        assert (wake.reference, wake.begin_id) == ("customer-17", "b" * 43)


@pytest.mark.parametrize(
    ("metadata", "begin_id"),
    [
        ({"kyc_begin_id": "b-1_Z"}, "b-1_Z"),
        ({"kyc_begin_id": "b" * 128}, "b" * 128),
        ({"kyc_begin_id": "b" * 129}, None),
        ({"kyc_begin_id": ""}, None),
        ({"kyc_begin_id": "b\n"}, None),
        ({"kyc_begin_id": "b 1"}, None),
        ({"kyc_begin_id": "\uff42"}, None),
        ({"kyc_begin_id": 7}, None),
        ({"kyc_begin_id": ["b"]}, None),
        ({"begin_id": "b"}, None),
        (["kyc_begin_id"], None),
        (None, None),
    ],
)
def test_only_what_may_be_a_begin_id_is_taken_for_one(
    metadata: object, begin_id: str | None
) -> None:
    """A caller's own metadata, or a stranger's, names no begin."""
    assert begin_id == start.begin_id_of({"metadata": metadata})


async def test_a_relay_is_called_back_instead_of_us(serve: Serve) -> None:
    """With Standard Webhooks somebody else must be called; without, nobody need be."""
    relay = "https://relay.example.com/kyc"
    request = starts.request(webhook_url="https://kyc.example.com/webhooks/source")
    provider = _made()
    await _begun(provider, serve, request, webhook_url=relay)
    assert provider.sent["webhookUrl"] == relay
    assert "webhookSecret" not in provider.sent

    signed = {"authenticate": ["standard_webhooks"]}
    assert _refused(request, **signed) == ["source"]
    assert _refused(request, **signed, webhook_url=relay) == []


async def test_an_embedded_session_sends_nobody_away(serve: Serve) -> None:
    """No return address is given where the person stays on the company's page."""
    provider = _made()
    request = starts.request(mode=model.BeginMode.EMBED)
    begun = await _begun(provider, serve, request)
    assert "returnUrl" not in provider.sent
    assert begun.url is None


# -- what is refused


def test_an_embedded_session_needs_the_publishable_key() -> None:
    """The secret key must never stand in a page."""
    assert _refused(starts.embedded(), publishable_key=None) == ["mode"]
    assert _refused(starts.request(), publishable_key=None) == []


@pytest.mark.parametrize(
    "value", [0, -(2**53) + 1, True, "", "x" * 1000, "München", "a@b"]
)
def test_metadata_takes_short_plain_values(value: object) -> None:
    """Texts of one line, integers, true and false."""
    assert _refused(_params(metadata={"Campaign.q-3_x": value})) == []


@pytest.mark.parametrize(
    "value",
    [None, 1.5, 2**53, "x" * 1001, "a\nb", "\0", [], {}, [starts.MARKER]],
)
def test_metadata_takes_nothing_else(value: object) -> None:
    """The key is named, and the good one beside it is not."""
    request = _params(metadata={"good": 1, "bad": value})
    assert _refused(request) == ["provider_params.metadata.bad"]


@pytest.mark.parametrize(
    "metadata",
    [
        *(None, True, 7, "a", [], [{}], starts.MARKER),
        *(
            {starts.MARKER + " ": 1},
            {"": 1},
            {"900101300123": 1},
            {"a" * 41: 1},
        ),
        {f"k{place}": 1 for place in range(51)},
    ],
)
def test_metadata_is_an_object_of_plain_names(metadata: object) -> None:
    """Another type, names that may be anything, too many of them."""
    assert _refused(_params(metadata=metadata)) == ["provider_params.metadata"]


def test_what_is_ours_is_not_the_callers() -> None:
    """The four fields that we fill, and our two keys of the metadata."""
    ours = ("externalUserId", "returnUrl", "webhookSecret", "webhookUrl")
    for name in ours:
        assert _refused(_params(**{name: "x"})) == [f"provider_params.{name}"]
    for key in ("kyc_reference", "kyc_begin_id"):
        wanted = [f"provider_params.metadata.{key}"]
        assert wanted == _refused(_params(metadata={key: "x"}))
    assert _refused(_params(metadata={"kyc_reference": "x"}), reference_field="o") == []


def test_everything_wrong_is_told_at_once() -> None:
    """The mode, the source, our fields, strange names, and the metadata."""
    request = starts.embedded(
        provider_params={
            "returnUrl": starts.MARKER,
            f"{starts.MARKER}": 1,
            "metadata": {"a": None, "kyc_begin_id": 1},
        }
    )
    found = _refused(request, publishable_key=None, authenticate=["standard_webhooks"])
    assert found == [
        "mode",
        "provider_params",
        "provider_params.metadata.a",
        "provider_params.metadata.kyc_begin_id",
        "provider_params.returnUrl",
        "source",
    ]


def test_all_of_it_is_bounded() -> None:
    """What is passed on unchecked is bounded too."""
    assert _refused(_params(more="x" * 16_000)) == []
    assert _refused(_params(more="x" * 17_000)) == ["provider_params"]
