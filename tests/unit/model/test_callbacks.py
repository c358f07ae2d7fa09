"""Callbacks: what was sent stays out of what is told of them."""

from worker import model

_MARKER = "planted-marker"


def test_a_callback_keeps_what_was_sent_out_of_repr() -> None:
    """Believed or not: neither headers nor body, token, query or address."""
    unverified = model.Callback(
        source="one",
        method="POST",
        headers=(("authorization", _MARKER),),
        body=_MARKER.encode(),
        token=_MARKER,
        query={"id": _MARKER},
        remote=_MARKER,
    )
    verified = model.VerifiedCallback(
        source="one",
        document={"name": _MARKER},
        query={"id": _MARKER},
        digest="d",
        received_at=1,
    )
    for each in (unverified, verified):
        found = f"{each} {each!r} {[each]}"
        assert _MARKER not in found
        assert "'one'" in found
