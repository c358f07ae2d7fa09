"""Standard Webhooks 1.0: the libraries' vector, rotation, tolerance and refusals."""

import base64
import hashlib
import hmac

import pytest

from worker import errors, signing

_KEY = b"a key of the present"
_OLD = b"a key of the past"
_BODY = b'{"a":1}'
_NOW_S = 1_790_000_000


def _cause(failure: pytest.ExceptionInfo[errors.AuthenticationError]) -> str:
    return failure.value.cause.value


def _standard(
    *,
    ids: list[str] | None = None,
    timestamps: list[str] | None = None,
    signatures: list[str] | None = None,
    keys: tuple[bytes, ...] = (_KEY, _OLD),
    now_s: int = _NOW_S,
    body: bytes = _BODY,
) -> int:
    """Verify a message that is right but for what is given."""
    signed = signing.sign_standard(_KEY, "msg_1", _NOW_S, _BODY)
    headers = {
        "webhook-id": ["msg_1"] if ids is None else ids,
        "webhook-timestamp": [str(_NOW_S)] if timestamps is None else timestamps,
        "webhook-signature": [signed] if signatures is None else signatures,
    }
    return signing.STANDARD_WEBHOOKS.verify(
        keys,
        headers.__getitem__,
        body,
        now_ms=now_s * 1000 + 999,
        tolerance_ms=300_000,
    )


def test_standard_vector() -> None:
    """The signature is the one that the Standard Webhooks libraries document."""
    key = signing.decode_standard_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = signing.sign_standard(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_standard_takes_several_signatures() -> None:
    """One of several signatures is enough, those of other versions are passed over."""
    old = signing.sign_standard(_OLD, "msg_1", _NOW_S, _BODY)
    other = "v1a," + base64.b64encode(b"0" * 64).decode()

    assert _standard(signatures=[f"{other} v1,AAAA junk v1 {old}"]) == 1
    assert _standard() == 0


@pytest.mark.parametrize("drift_s", [-300, 0, 300])
def test_standard_tolerates_drift(drift_s: int) -> None:
    """A timestamp within the tolerance passes, in both directions."""
    assert _standard(now_s=_NOW_S + drift_s) == 0


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"signatures": []}, "missing_signature"),
        ({"ids": []}, "missing_signature"),
        ({"timestamps": []}, "missing_timestamp"),
        ({"timestamps": [""]}, "missing_timestamp"),
        ({"ids": ["msg_1", "msg_1"]}, "repeated_signature"),
        ({"timestamps": ["1", "1"]}, "repeated_signature"),
        ({"signatures": ["v1,a", "v1,b"]}, "repeated_signature"),
        ({"signatures": ["0"]}, "malformed_signature"),
        ({"signatures": ["v1a,AAAA"]}, "malformed_signature"),
        ({"signatures": ["v1,é"]}, "malformed_signature"),
        ({"ids": ["msg.1"]}, "malformed_signature"),
        ({"ids": ["m" * 256]}, "malformed_signature"),
        ({"ids": ["msg_1\n"]}, "malformed_signature"),
        ({"ids": ["\udc80"]}, "malformed_signature"),
        ({"timestamps": ["now"]}, "malformed_signature"),
        ({"timestamps": [f"-{_NOW_S}"]}, "malformed_signature"),
        ({"timestamps": [f"{_NOW_S}.0"]}, "malformed_signature"),
        ({"timestamps": ["\u0663" * 10]}, "malformed_signature"),
        ({"timestamps": ["9" * 16]}, "malformed_signature"),
        ({"ids": ["msg_2"]}, "wrong_signature"),
        ({"timestamps": [str(_NOW_S + 1)]}, "wrong_signature"),
        ({"body": b"{}"}, "wrong_signature"),
        ({"body": b"\x80"}, "wrong_signature"),
        ({"keys": (b"",)}, "wrong_signature"),
        ({"now_s": _NOW_S + 301}, "stale_timestamp"),
        ({"now_s": _NOW_S - 302}, "future_timestamp"),
    ],
)
def test_hostile_standard(changes: dict[str, object], cause: str) -> None:
    """Whatever is wrong, the refusal is the one error, with its cause."""
    with pytest.raises(errors.AuthenticationError) as failure:
        _standard(**changes)  # type: ignore[arg-type]  # a table of keyword arguments

    assert cause == _cause(failure)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAA", "whsec_AA==\n", "AAAA", "whsec_-_-_"]
)
def test_standard_secret_is_strict(secret: str) -> None:
    """A secret needs its prefix and padded base64, or it is no secret."""
    with pytest.raises(ValueError, match="whsec_"):
        signing.decode_standard_key(secret)


def test_message_id_that_would_not_verify_is_not_signed() -> None:
    """The signer keeps the rules of the verifier."""
    with pytest.raises(ValueError, match="id"):
        signing.sign_standard(_KEY, "a.b", _NOW_S, _BODY)


@pytest.mark.parametrize("size", [0, 32 << 10, (32 << 10) + 1, 1 << 20])
def test_a_body_of_any_size_is_signed_as_the_specification_says(size: int) -> None:
    """Whether it is joined to its id and timestamp, or taken in two steps."""
    key, body = b"k" * 32, b"b" * size
    mac = hmac.new(key, b"msg_1.1700000000." + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(mac).decode()

    assert expected == signing.sign_standard(key, "msg_1", 1_700_000_000, body)
