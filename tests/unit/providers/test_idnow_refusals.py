"""IDnow: begins that are refused, that fail, or of which nobody knows what came."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.support import ports, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import _http_responses, idnow
from worker.providers.idnow import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "synthetic-api-key"
_ANSWER = b'{"id":"IBA-H5FD8"}'


def _beginner(base_url: str) -> start.SessionStarter:
    settings = idnow.Settings.model_validate(
        {
            "environment": "test",
            "company_id": "ihrebank",
            "api_key": _KEY,
            "reference_field": "custom1",
            "base_url": base_url,
        }
    )
    return start.SessionStarter("source", settings, clocks.SystemClock())


async def _begun(
    provider: starts.Provider, serve: Serve, request: model.BeginRequest
) -> model.StartedSession:
    beginner = _beginner(await serve(provider.answer))
    try:
        return await beginner.begin(request)
    finally:
        await beginner.close()


def _listed(cause: object, key: object = None, status: int = 400) -> starts.Provider:
    """Return the gateway with the documented error."""
    error = {"cause": cause, "id": "7", "key": key, "message": starts.MARKER}
    return starts.Provider(status=status, body=orjson.dumps({"errors": [error]}))


async def _failed(
    provider: starts.Provider,
    serve: Serve,
    **params: Any,  # noqa: ANN401 -- any parameter
) -> Any:  # noqa: ANN401 -- any error
    request = starts.request(provider_params=params)
    with pytest.raises(errors.KycError) as caught:
        await _begun(provider, serve, request)
    return caught.value


@pytest.mark.parametrize(
    ("cause", "status", "kind", "detail"),
    [
        ("INVALID_LOGIN_TOKEN", 401, errors.ProviderAuthFailed, "INVALID_LOGIN_TOKEN"),
        ("SECURITY_VIOLATION", 401, errors.ProviderAuthFailed, "SECURITY_VIOLATION"),
        ("OBJECT_NOT_FOUND", 404, errors.ProviderAuthFailed, "OBJECT_NOT_FOUND"),
        ("SOMETHING_NEW", 404, errors.ProviderAuthFailed, "404"),
        ("SOMETHING_NEW", 403, errors.ProviderAuthFailed, "403"),
        ("SOMETHING_NEW", 429, errors.RateLimited, ""),
        ("SOMETHING_NEW", 400, errors.InvalidResponse, "400"),
        (None, 418, errors.InvalidResponse, "418"),
        ([], 502, errors.ProviderFault, "502"),
        ("UNPARSEABLE_JSON", 400, errors.InvalidResponse, "UNPARSEABLE_JSON"),
        (
            "MISSING_TRANSACTION_TOKEN",
            400,
            errors.InvalidResponse,
            "MISSING_TRANSACTION_TOKEN",
        ),
        ("BAD_REQUEST", 400, errors.InvalidResponse, "BAD_REQUEST"),
        ("PRECONDITION_FAILED", 412, errors.InvalidResponse, "PRECONDITION_FAILED"),
        ("INTERNAL_SERVER_ERROR", 500, errors.ProviderFault, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_the_cause_decides_and_then_the_status(
    serve: Serve, cause: object, status: int, kind: type[errors.FetchError], detail: str
) -> None:
    """Each documented cause, and what is not documented; nothing was begun."""
    error = await _failed(_listed(cause, status=status), serve)
    assert kind is type(error)
    assert detail == error.detail
    assert error.answered


@pytest.mark.parametrize(
    ("cause", "key", "field"),
    [
        ("BAD_REQUEST", "birthday", "provider_params.birthday"),
        ("UNRECOGNIZED_FIELD", "birthday", "provider_params.birthday"),
        ("BAD_REQUEST", "q1", "provider_params.questions.q1"),
        ("BAD_REQUEST", "custom1", "reference"),
        ("PRECONDITION_FAILED", "questions", "provider_params.questions"),
    ],
)
async def test_a_field_that_is_refused_is_named(
    serve: Serve, cause: str, key: str, field: str
) -> None:
    """As the caller calls it, with the provider's closed word and nothing else."""
    error = await _failed(
        _listed(cause, key),
        serve,
        birthday="1975-12-20",
        questions={"q1": {"value": 1}},
    )
    assert isinstance(error, errors.InvalidBeginRequest)
    assert error.problems == {field: f"is refused by IDnow ({cause})"}


@pytest.mark.parametrize("key", [starts.MARKER, "", "lastname", 7, ["birthday"], {}])
async def test_a_key_that_is_not_ours_is_not_repeated(
    serve: Serve, key: object
) -> None:
    """Whatever stands there instead of the name of a field that was sent."""
    error = await _failed(_listed("BAD_REQUEST", key), serve, birthday="1975-12-20")
    assert type(error) is errors.InvalidResponse
    assert starts.MARKER not in str(error)


async def test_a_number_that_is_over_is_not_given_out_again(serve: Serve) -> None:
    """Its result may be another person's: a new key makes a new session."""
    error = await _failed(_listed("EXISTING_IDENTIFICATION", status=409), serve)
    assert isinstance(error, errors.InvalidBeginRequest)
    assert list(error.problems) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "document",
    [None, 7, "", "IBA", "IBA-", "IBA-H5FD8\n", "IBA-H5/FD8", "a" * 99, ["IBA-H5FD8"]],
)
async def test_an_answer_without_an_id_leaves_it_in_doubt(
    serve: Serve, document: object
) -> None:
    """The identification may stand there: nobody says that it does not."""
    provider = starts.Provider(status=201, body=orjson.dumps({"id": document}))
    error = await _failed(provider, serve)
    assert isinstance(error, errors.BeginInDoubt)
    assert not error.answered


async def test_a_begin_is_sent_once_only(serve: Serve) -> None:
    """A fault is not tried again in place, and who is not there was never told."""
    provider = starts.Provider(status=503)
    error = await _failed(provider, serve)
    assert isinstance(error, errors.ProviderFault)
    assert len(provider.calls) == 1

    beginner = _beginner(f"http://127.0.0.1:{ports.free()}")
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await beginner.begin(starts.request())
    await beginner.close()
    assert caught.value.detail == _http_responses.NOT_CONNECTED
    assert not caught.value.answered


@pytest.mark.parametrize(
    "provider",
    [
        starts.Provider(status=201, body=_ANSWER),
        starts.Provider(status=201, body=starts.MARKER.encode()),
        starts.Provider(status=500, body=starts.MARKER.encode()),
        _listed("BAD_REQUEST", "firstname"),
        _listed(starts.MARKER, starts.MARKER),
        _listed("INVALID_LOGIN_TOKEN", status=401),
    ],
)
async def test_nothing_of_a_person_is_told(
    serve: Serve, provider: starts.Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by a request, nor by what came of it, nor in a log."""
    caplog.set_level(0)
    person = dict.fromkeys(("firstname", "lastname", "street"), starts.MARKER)
    request = starts.request(provider_params={**person, "email": f"a@{starts.MARKER}"})
    document = [repr(request)]
    try:
        document.append(repr(await _begun(provider, serve, request)))
    except errors.KycError as error:
        document += traceback.format_exception(error)
        document.append(repr(vars(error)))

    assert starts.MARKER in provider.bodies[0].decode()
    assert starts.MARKER not in "".join(document) + caplog.text
    assert _KEY not in "".join(document) + caplog.text
