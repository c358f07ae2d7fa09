"""Whatever is sent is verified, or refused by one family of errors; never a 500."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from tests.unit.ingress import support
from worker import errors, http_server, ingress, model, signing
from worker.ingress import authenticate, client_ip

_SCHEMES = (
    signing.BodyHmac("X-Verification-Signature"),
    signing.BodyHmac("X-Signature", digest="sha512", prefix="sha512="),
    signing.BodyHmac(
        "Authorization", encoding="base64", prefix='signature="', suffix='"'
    ),
)
_KEYS = (support.KEY, support.OLD_KEY)
#: Any text that a header may become, stray surrogates included.
_TEXT = st.text(st.characters(codec=None), max_size=200)
_SIGNATURES = st.one_of(
    _TEXT,
    st.text("0123456789abcdefABCDEF", max_size=130),
    st.text("ABCDwxyz0189+/=", max_size=100).map('signature="{}"'.format),
    st.text("ABCDwxyz0189+/=", max_size=100).map("v1,{}".format),
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), _TEXT.filter(str.isascii)
)
_DOCUMENTS = st.dictionaries(
    st.sampled_from(["session", "kind", "key", "other"]),
    st.one_of(
        _SCALARS,
        st.sampled_from(["ignore", "message", "crash", "unheard-of"]),
        st.lists(_SCALARS, max_size=3),
        st.dictionaries(st.sampled_from("ab"), _SCALARS, max_size=2),
    ),
    max_size=4,
).map(orjson.dumps)
_BODIES = st.one_of(st.just(support.BODY), _DOCUMENTS, st.binary(max_size=300))


@hypothesis.given(
    scheme=st.sampled_from(_SCHEMES),
    presented=st.lists(_SIGNATURES, max_size=3),
    body=st.binary(max_size=100),
)
def test_verify_raises_one_error(
    scheme: signing.BodyHmac, presented: list[str], body: bytes
) -> None:
    """No header value and no body makes verification raise anything else."""
    with pytest.raises(errors.AuthenticationError):
        scheme.match(_KEYS, presented, body)


@hypothesis.given(
    scheme=st.sampled_from(_SCHEMES),
    position=st.integers(0, 1),
    body=st.binary(max_size=100),
    other=st.binary(max_size=100),
)
def test_what_is_signed_verifies(
    scheme: signing.BodyHmac, position: int, body: bytes, other: bytes
) -> None:
    """A signature verifies with its key over its bytes, and over no others."""
    presented = [scheme.sign(_KEYS[position], body)]

    assert position == scheme.match(_KEYS, presented, body)
    if other != body:
        with pytest.raises(errors.AuthenticationError):
            scheme.match(_KEYS, presented, other)


@hypothesis.given(
    ids=st.lists(_TEXT, max_size=2),
    timestamps=st.lists(st.one_of(_TEXT, st.integers().map(str)), max_size=2),
    signatures=st.lists(_SIGNATURES, max_size=2),
    body=st.binary(max_size=100),
)
def test_standard_webhooks_raise_one_error(
    ids: list[str], timestamps: list[str], signatures: list[str], body: bytes
) -> None:
    """No id, no timestamp and no signature raises anything else."""
    with pytest.raises(errors.AuthenticationError):
        signing.STANDARD_WEBHOOKS.verify(
            _KEYS,
            {
                "webhook-id": ids,
                "webhook-timestamp": timestamps,
                "webhook-signature": signatures,
            }.__getitem__,
            body,
            now_ms=support.NOW_MS,
            tolerance_ms=300_000,
        )


@hypothesis.given(presented=st.one_of(st.none(), _TEXT))
def test_tokens_raise_one_error(presented: str | None) -> None:
    """No path segment raises anything else."""
    with pytest.raises(errors.AuthenticationError):
        signing.verify_token(_KEYS, "test", "a", presented)


@hypothesis.given(
    remote=st.one_of(st.none(), _TEXT, st.ip_addresses().map(str)),
    forwarded_for=st.lists(st.one_of(_TEXT, st.ip_addresses().map(str)), max_size=3),
)
def test_addresses_raise_nothing(remote: str | None, forwarded_for: list[str]) -> None:
    """Whatever proxies write, there is an address or there is none."""
    anything = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]

    client_ip.client(anything, remote, forwarded_for)


_LISTS = (
    {"hmac_body"},
    {"signed_url"},
    {"basic", "hmac_body"},
    {"signed_url", "body_key"},
    {"standard_webhooks", "ip_allow"},
)
_NAMES = (
    *("x-verification-signature", "authorization", "x-forwarded-for", "x-other"),
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
)


def _of(authenticators: set[str], name: str = "signed") -> ingress.IngressSource:
    """Return a source with these authenticators."""
    return support.source(
        name,
        authenticators=frozenset(authenticators),
        tokens=(support.token(name).encode(),),
        standard_keys=_KEYS,
        body_key_field="key",
        body_keys=(b"the body key",),
        basic_credentials=(b"user:password",),
        networks=(ipaddress.ip_network("0.0.0.0/0"),),
        session_id_query="session",
        methods=("POST", "GET"),
    )


@hypothesis.given(
    authenticators=st.sampled_from(_LISTS),
    method=st.sampled_from(["POST", "GET"]),
    headers=st.lists(st.tuples(st.sampled_from(_NAMES), _SIGNATURES), max_size=5),
    token=st.one_of(st.none(), _TEXT),
    body=_BODIES,
)
def test_verification_raises_one_family(
    authenticators: set[str],
    method: str,
    headers: list[tuple[str, str]],
    token: str | None,
    body: bytes,
) -> None:
    """For any callback that nobody signed the answer is one of two refusals."""
    unverified = model.Callback(
        source="signed",
        method=method,
        headers=tuple(headers),
        body=body,
        token=token,
        query={"session": "a"},
        remote="192.0.2.1",
        received_at=support.NOW_MS,
    )

    with pytest.raises((errors.AuthenticationError, errors.MalformedBody)):
        authenticate.verify(_of(authenticators), unverified)


#: What HTTP lets stand in a header: any byte but controls.
_VALUE_BYTES = bytes([*range(0x20, 0x7F), *range(0x80, 0x100)])
_RAW_VALUES = st.one_of(
    st.lists(st.sampled_from(_VALUE_BYTES), max_size=40).map(bytes),
    st.sampled_from([b"gzip", b"identity", b"100-continue", b"0" * 64, b"a, b", b""]),
    st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n")),
)
_RAW_NAMES = st.sampled_from(
    [name.encode() for name in _NAMES] + [b"expect", b"accept"]
)
#: These change what the rest of the bytes mean.
_FRAMING = st.sampled_from(
    [b"content-encoding", b"connection", b"upgrade", b"transfer-encoding", b"host"]
)
_RAW_HEADERS = st.builds(
    list.__add__,
    st.lists(st.tuples(_RAW_NAMES, _RAW_VALUES), max_size=3),
    st.one_of(st.just([]), st.lists(st.tuples(_FRAMING, _RAW_VALUES), max_size=1)),
)
_METHODS = st.sampled_from([b"POST"] * 5 + [b"GET", b"PUT", b"HEAD"])
_TARGETS = st.one_of(
    st.just(b"/webhooks/signed"),
    st.just(b"/webhooks/by_url/" + support.token("by_url").encode()),
    st.sampled_from([b"/webhooks/by_url", b"/webhooks/by_url/wrong"]),
    st.binary(max_size=30).map(lambda raw: b"/webhooks/" + raw),
)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(data=st.data())
def test_any_request_over_a_socket(data: st.DataObject) -> None:
    """Any bytes get 2xx, 4xx, 503 or no answer, and publish only what is authentic."""
    method = data.draw(
        st.sampled_from([b"POST"] * 5 + [b"GET", b"PUT", b"HEAD"]), "method"
    )
    target = data.draw(_TARGETS, "target")
    headers = data.draw(_RAW_HEADERS, "headers")
    body = data.draw(_BODIES, "body")
    sign = data.draw(st.booleans(), "sign")
    if sign:
        value = support.SCHEME.sign(support.KEY, body).encode()
        headers.append((support.SCHEME.header.encode(), value))
    head = b"".join(b"%s: %s\r\n" % header for header in headers)
    request = b"%s %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (
        *(method, target, head, len(body)),
        body,
    )

    statuses, sink = asyncio.run(_exchange(request))

    assert all(s // 100 in (1, 2, 4) or s == 503 for s in statuses)
    authentic = sign or support.token("by_url").encode() in target
    assert authentic or not (sink.events or sink.letters)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(request=st.binary(max_size=400))
def test_any_bytes_over_a_socket(request: bytes) -> None:
    """Bytes that are no HTTP at all are refused, or the connection just ends."""
    statuses, sink = asyncio.run(_exchange(request))

    assert all(status // 100 == 4 for status in statuses)
    assert sink.events + sink.letters == []


async def _exchange(request: bytes) -> tuple[list[int], support.Sink]:
    """Send *request* to an ingress of its own, and return the answers' statuses."""
    sink = support.Sink()
    sources = [
        _of({"hmac_body"}),
        _of({"signed_url"}, "by_url"),
    ]
    served = ingress.Ingress(
        sources,
        sink,
        observer=support.Telemetry(),
        clock=support.Clock(),
        bounds=ingress.Limits(
            read_timeout_s=0.02,
            connections=http_server.ConnectionLimits(
                keepalive_timeout_s=0.01, linger_timeout_s=0.02
            ),
        ),
    )
    port = await served.start("127.0.0.1", 0)
    try:
        answer = b"".join([piece async for piece in _pieces(port, request)])
    finally:
        await served.drain(1)
    assert served.in_flight == 0
    parts = answer.split(b"HTTP/1.")[1:]
    return [int(part.split(b" ", 2)[1]) for part in parts], sink


async def _pieces(port: int, request: bytes) -> AsyncIterator[bytes]:
    """Yield what comes back for *request* until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            while piece := await reader.read(1 << 16):
                yield piece
    except ConnectionError:
        return
    finally:
        writer.close()
