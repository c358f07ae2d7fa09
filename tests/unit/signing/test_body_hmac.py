"""Signatures: known vectors, rotation, and every way to be wrong."""

import base64
import hmac

import pytest

from worker import errors, signing

_HEX = signing.BodyHmac("X-Verification-Signature")
_BASE64 = signing.BodyHmac(
    "Authorization", encoding="base64", prefix='signature="', suffix='"'
)
_SHA512 = signing.BodyHmac("X-Signature", digest="sha512", prefix="sha512=")
_SCHEMES = (_HEX, _BASE64, _SHA512)
_KEY = b"a key of the present"
_OLD = b"a key of the past"
_BODY = b'{"a":1}'


def _cause(failure: pytest.ExceptionInfo[errors.AuthenticationError]) -> str:
    return failure.value.cause.value


def test_hex_vector() -> None:
    """The hex signature is the one computed from id beyond's documented rules."""
    body = (
        b'{"event":"verification.completed","verificationSessionId":'
        b'"11111111-1111-1111-1111-111111111111","externalUserId":"user_123",'
        b'"decision":"approved","reviewStatus":"approved","rationale":""}'
    )

    signature = _HEX.sign(b"test-webhook-shared-secret-1234", body)

    expected = "40cea09ffcbb9960d07437b70041e9067a019623eaa464aa8471fe6d2f1c5f02"
    assert expected == signature


def test_base64_vector() -> None:
    """The base64 signature is the one computed from Identomat's documented rules."""
    body = b'{"company_key":"abcd","session_token":"defg"}'

    signature = _BASE64.sign(b"secret", body)

    assert signature == 'signature="X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I="'


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_every_key_is_accepted(scheme: signing.BodyHmac) -> None:
    """The position of the key that signed is told, so rotation needs no gap."""
    keys = (_KEY, _OLD)

    positions = [scheme.match(keys, [scheme.sign(key, _BODY)], _BODY) for key in keys]

    assert positions == [0, 1]


def test_hex_in_either_case() -> None:
    """Upper-case hex is the same signature."""
    presented = _HEX.sign(_KEY, _BODY).upper()

    assert _HEX.match([_KEY], [presented], _BODY) == 0


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_another_body_or_key_is_wrong(scheme: signing.BodyHmac) -> None:
    """A signature holds for its key and its very bytes."""
    presented = [scheme.sign(_KEY, _BODY)]

    for keys, body in (((_OLD,), _BODY), ((_KEY,), b'{"a": 1}'), ((), _BODY)):
        with pytest.raises(errors.AuthenticationError) as failure:
            scheme.match(keys, presented, body)
        assert _cause(failure) == "wrong_signature"


@pytest.mark.parametrize(
    ("presented", "cause"),
    [
        ([], "missing_signature"),
        ([""], "missing_signature"),
        (["0" * 64, "0" * 64], "repeated_signature"),
        (["0" * 63], "malformed_signature"),
        (["0" * 62], "malformed_signature"),
        (["0" * 66], "malformed_signature"),
        (["x" * 64], "malformed_signature"),
        (["é" * 64], "malformed_signature"),
        (["\u0660" * 64], "malformed_signature"),
        (["\udcff" * 64], "malformed_signature"),
        ([" ".join(["00"] * 32)], "malformed_signature"),
        (["sha256=" + "0" * 64], "malformed_signature"),
        (["0" * 64 + "\n"], "malformed_signature"),
        (["0" * 64 + ",", ""], "repeated_signature"),
        (["0" * 64], "wrong_signature"),
    ],
)
def test_hostile_hex(presented: list[str], cause: str) -> None:
    """Whatever stands in the header, the refusal is the one error, with its cause."""
    with pytest.raises(errors.AuthenticationError) as failure:
        _HEX.match([_KEY], presented, _BODY)

    assert cause == _cause(failure)


@pytest.mark.parametrize(
    "value",
    [
        "signature=",
        'signature="',
        'signature=""',
        'signature="X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I"',
        'signature="X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I=="',
        'signature="X8AOLCy1 BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I="',
        'signature="X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I=" ',
        'Signature="X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I="',
        'signature="é8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I="',
        "X8AOLCy1BdQED243DOMRJylXaHKFeAsZeyYYQxTqj4I=",
    ],
)
def test_hostile_base64(value: str) -> None:
    """Base64 is strict, and stands within its prefix and suffix."""
    with pytest.raises(errors.AuthenticationError) as failure:
        _BASE64.match([b"secret"], [value], _BODY)

    assert _cause(failure) == "malformed_signature"


def test_empty_key_never_matches() -> None:
    """An empty key signs nothing, and nothing is signed with it."""
    forged = hmac.digest(b"", _BODY, "sha256").hex()

    with pytest.raises(errors.AuthenticationError):
        _HEX.match([b""], [forged], _BODY)
    with pytest.raises(ValueError, match="empty"):
        _HEX.sign(b"", _BODY)


def test_empty_secret_matches_nothing() -> None:
    """Nothing presented does not match an empty secret."""
    with pytest.raises(errors.AuthenticationError) as failure:
        signing.match([b""], b"", errors.AuthCause.WRONG_BASIC)

    assert _cause(failure) == "wrong_basic"


def test_url_token() -> None:
    """The token is unpadded base64url of the documented text's HMAC."""
    mac = hmac.digest(_KEY, b"v1:live:idnow_de", "sha256")

    token = signing.derive_url_token(_KEY, "live", "idnow_de")

    assert base64.urlsafe_b64encode(mac).decode().rstrip("=") == token
    assert len(token) == 43


def test_url_token_is_rotated() -> None:
    """Each secret's token is accepted, at its position."""
    tokens = [signing.derive_url_token(key, "test", "a") for key in (_KEY, _OLD)]

    found = [signing.verify_token((_KEY, _OLD), "test", "a", token) for token in tokens]

    assert found == [0, 1]


@pytest.mark.parametrize(
    ("presented", "cause"),
    [
        (None, "missing_token"),
        ("", "missing_token"),
        (signing.derive_url_token(_KEY, "live", "a"), "wrong_token"),
        (signing.derive_url_token(_KEY, "test", "b"), "wrong_token"),
        (signing.derive_url_token(_KEY, "test", "a") + "=", "wrong_token"),
        (signing.derive_url_token(_KEY, "test", "a")[:-1], "wrong_token"),
        ("\ud800", "wrong_token"),
        ("é", "wrong_token"),
    ],
)
def test_hostile_token(presented: str | None, cause: str) -> None:
    """A token holds for one secret, environment and source, in one spelling."""
    with pytest.raises(errors.AuthenticationError) as failure:
        signing.verify_token((_KEY, b""), "test", "a", presented)

    assert cause == _cause(failure)


def test_other_spelling_of_the_same_bytes_is_wrong() -> None:
    """The token is compared as text: a last letter with other spare bits is wrong."""
    token = signing.derive_url_token(_KEY, "test", "a")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]

    same = {base64.urlsafe_b64decode(text + "=") for text in (token, twin)}

    assert len(same) == 1
    with pytest.raises(errors.AuthenticationError):
        signing.verify_token([_KEY], "test", "a", twin)
