"""Keys that are fetched: 401 for one that nobody knows, 503 for one that cannot be."""

from collections.abc import Sequence

import pytest

from tests.unit.ingress import conftest, support
from worker import errors, signing


def _source_of(answer: Sequence[bytes] | Exception) -> signing.KeySource:
    async def keys(_: signing.Presented) -> Sequence[bytes]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return keys


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ([support.KEY], 200),
        ([b"another", support.KEY], 200),
        ([b"another"], 401),
        ([], 401),
        (errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE), 401),
        (errors.ProviderTimeout(), 503),
        (errors.RateLimited("keys"), 503),
        (errors.ProviderAuthFailed("api_keys"), 503),
    ],
)
async def test_the_keys_decide(
    serve: conftest.Serve, answer: Sequence[bytes] | Exception, status: int
) -> None:
    """Only a callback that a fetched key signed is accepted."""
    source = support.source(hmac_keys=(), key_source=_source_of(answer))
    served = await serve(source)

    reply = await served.send()

    assert reply.status == status
    assert len(served.sink.events) == (status == 200)


async def test_a_malformed_signature_fetches_nothing(serve: conftest.Serve) -> None:
    """Who presents no signature at all makes nobody call the provider."""
    failing = _source_of(AssertionError("asked"))
    served = await serve(support.source(hmac_keys=(), key_source=failing))

    reply = await served.send(headers={})

    assert reply.status == 401
