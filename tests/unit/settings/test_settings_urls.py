"""The URLs of the configuration."""

import pytest

from worker.settings import urls


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com:8443", "https://api.example.com:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_base_url_is_taken(url: str, base: str) -> None:
    """Https anywhere, http on the loopback, without a closing slash."""
    assert base == urls.check_external_url(url, path=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "ftp://api.example.com",
        "https://",
        "https://user@api.example.com",
        "https://user:MARKER@api.example.com",
        "https://@api.example.com",
        "https://api.example.com/path",
        "https://api.example.com?key=MARKER",
        "https://api.example.com?",
        "https://api.example.com#",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com\\@evil.example",
        "https://evil.example\\.api.example.com",
        "https://api.exämple.com",
        "https://api.example.com\n",
        "https://[::1",
    ],
)
def test_what_we_may_not_call_is_refused(url: str) -> None:
    """Everything else is refused, with a sentence that does not repeat it."""
    with pytest.raises(ValueError, match="must ") as caught:
        urls.check_external_url(url, path=False)

    assert "MARKER" not in str(caught.value)


def test_a_path_is_kept_where_one_may_be() -> None:
    """Where a path is allowed its closing slash is part of it."""
    assert (
        urls.check_external_url("https://a.example/x/", path=True)
        == "https://a.example/x/"
    )


@pytest.mark.parametrize(
    "url", ["http://127.9.9.9", "http://[::1]", "http://LOCALHOST"]
)
def test_the_loopback_is_known(url: str) -> None:
    """All of 127/8, ::1 and localhost are this machine."""
    assert urls.loopback(url)


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://10.0.0.1", "https://[::1", "https://0.0.0.0"]
)
def test_the_rest_is_not_the_loopback(url: str) -> None:
    """Private addresses and what is no URL are not this machine."""
    assert not urls.loopback(url)
