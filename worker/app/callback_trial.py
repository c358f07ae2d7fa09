"""Say what a callback would become: the steps of ingress and worker, without Kafka."""

from collections.abc import Mapping, Sequence

from worker import clock as clocks
from worker import errors, http_server, ingress, model
from worker.app import sources
from worker.ingress import authenticate, handler
from worker.settings import types

Row = tuple[str, object]

#: Why a callback is refused, in one sentence that holds nothing of it.
_CAUSES: Mapping[errors.AuthCause, str] = {
    errors.AuthCause.MISSING_SIGNATURE: "the signature header is missing",
    errors.AuthCause.REPEATED_SIGNATURE: "the signature header comes more than once",
    errors.AuthCause.MALFORMED_SIGNATURE: "the signature header is malformed, or in"
    " another encoding or scheme than the source's",
    errors.AuthCause.WRONG_SIGNATURE: "the signature is wrong: another secret, or a"
    " body that was changed on its way",
    errors.AuthCause.MISSING_TIMESTAMP: "the signed timestamp is missing or malformed",
    errors.AuthCause.STALE_TIMESTAMP: "the signed timestamp is older than the"
    " tolerance (see --at)",
    errors.AuthCause.FUTURE_TIMESTAMP: "the signed timestamp is in the future (see"
    " --at)",
    errors.AuthCause.MISSING_TOKEN: "the path has no token (see --path)",
    errors.AuthCause.WRONG_TOKEN: "the token in the path is wrong",
    errors.AuthCause.MISSING_BODY_KEY: "the body has no key",
    errors.AuthCause.WRONG_BODY_KEY: "the key in the body is wrong",
    errors.AuthCause.MISSING_BASIC: "the header Authorization is missing",
    errors.AuthCause.WRONG_BASIC: "user or password are wrong",
    errors.AuthCause.ADDRESS: "the address is in no network of ip_allow (see --from)",
}
_MALFORMED = "the body is not one JSON object"


async def rows(
    found: sources.ConfiguredSource,
    of: ingress.IngressSource,
    callback: model.Callback,
    *,
    trusted_proxies: Sequence[types.Network] = (),
    result: bytes | None = None,
) -> list[Row]:
    """
    Return names and values; the first one is ``accepted`` or what it is instead.

    *of* may have other secrets than *found*. *result* is the provider's, to be mapped
    to a decision. No value but those of an authentic callback's event is shown. Closes
    the provider. Raises errors.MalformedBody where *result* is no JSON object.
    """
    try:
        if len(callback.body) > of.max_body_bytes:
            return _refused(f"the body has more than {of.max_body_bytes} bytes")
        if callback.method not in of.methods:
            return _refused(f"the source accepts {', '.join(of.methods)} (see --body)")
        try:
            verified = await _verify(of, callback, trusted_proxies)
        except errors.AuthenticationError as refused:
            return _refused(_CAUSES[refused.cause], "not authentic")
        except errors.MalformedBody:
            return _refused(_MALFORMED)
        except errors.FetchError as failed:
            return _refused(f"the key cannot be fetched: {failed.reason}")
        return _normalised(of, found, verified, result)
    finally:
        await found.provider.close()


async def _verify(
    of: ingress.IngressSource,
    callback: model.Callback,
    trusted_proxies: Sequence[types.Network],
) -> authenticate.VerifiedRequest:
    """Return the authentic callback; the steps are those of the ingress."""
    matches = authenticate.verify_head(of, callback, trusted_proxies)
    authenticate.require_signature(of, callback)
    keys = await authenticate.fetch_keys(of, callback)
    return authenticate.verify_body(of, callback, matches, keys)


def _normalised(
    of: ingress.IngressSource,
    found: sources.ConfiguredSource,
    verified: authenticate.VerifiedRequest,
    result: bytes | None,
) -> list[Row]:
    """Return what an authentic callback becomes."""
    by = ", ".join(match.authenticator.value for match in verified.matches)
    known: list[Row] = [("authenticated by", by)]
    try:
        normalised = of.normalise(verified.callback)
    except errors.UnmappableCallback:
        if of.is_ping(verified.callback.document):
            return [("result", "accepted"), *known, ("becomes", "nothing: a ping")]
        sentence = "it names no session: 503, a dead letter and an alarm"
        return [*_refused(sentence, "unmappable"), *known]
    shown: list[Row] = [("result", "accepted"), *known]
    match normalised:
        case model.IgnoredCallback():
            shown.append(("becomes", "nothing: it decides nothing"))
            shown.append(("type", normalised.provider_event))
        case model.ForwardedMessage():
            shown.append(("becomes", "a message that is forwarded or discarded"))
            shown.append(("type", normalised.provider_event))
        case model.WakeUp():
            shown += _event(normalised)
            shown += _decided(found, of, verified.callback, normalised, result)
    return shown


def _event(wake: model.WakeUp) -> list[Row]:
    """Return the event that would be published."""
    at = wake.provider_time
    shown: list[Row] = [
        ("becomes", "an event"),
        ("session", wake.session_id),
        ("type", wake.provider_event),
        ("event id", wake.provider_event_id),
        ("time", None if at is None else clocks.format_rfc3339(at)),
        ("reference", wake.reference),
    ]
    return [row for row in shown if row[1] is not None]


def _decided(
    found: sources.ConfiguredSource,
    of: ingress.IngressSource,
    callback: model.VerifiedCallback,
    wake: model.WakeUp,
    result: bytes | None,
) -> list[Row]:
    """Return the decision on the callback's own words, or on *result*."""
    if result is None:
        claim = found.provider.claim(handler.build_event(of, callback, wake))
        if claim is None:
            return [("decision", "by the fetched result (see --result)")]
        return [("claim", claim.kind.value), *_verdict(claim.verdict, claim.alarms)]
    document = http_server.parse_foreign(result)
    answer = model.ProviderResponse(document=document, observed_at=callback.received_at)
    key = model.SessionKey(of.name, wake.session_id)
    try:
        mapped = found.provider.interpret(key, wake.provider_session_id, answer)
    except errors.FetchError as failed:
        return [("decision", f"none: {failed.reason}")]
    return _verdict(mapped.verdict, mapped.alarms)


def _verdict(verdict: model.Verdict, alarms: tuple[model.AlarmKind, ...]) -> list[Row]:
    """Return a verdict's values."""
    shown: list[Row] = [
        ("decision", verdict.outcome.value),
        ("reason", verdict.reason.value),
        ("next step", verdict.next_step.value),
        ("retryable", verdict.retryable),
    ]
    if alarms:
        shown.append(("alarms", ", ".join(alarm.value for alarm in alarms)))
    return shown


def _refused(sentence: str, result: str = "refused") -> list[Row]:
    return [("result", result), ("because", sentence)]
