"""Check the URLs of the configuration."""

import ipaddress
import re
import urllib.parse

_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f.]*:[0-9a-f:.]+", re.ASCII)
_LOCAL_NAMES = frozenset({"localhost", "localhost."})


def check_external_url(url: str, *, path: bool) -> str:
    """
    Return *url* (a base without its closing slash) if it is one that we may call.

    https, except on the loopback; no user, query or fragment; no path unless *path*.
    Raises ValueError, whose text says what to change and never holds the URL.
    """
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(url)):
        raise ValueError("must begin with https:// (http:// only on the loopback)")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or a password")
    if "?" in url or "#" in url:
        raise ValueError("must not contain a query or a fragment")
    if not path and parts.path not in ("", "/"):
        raise ValueError("must not contain a path: paths are settings of their own")
    return url if path else url.rstrip("/")


def proxy(url: str) -> str:
    """
    Return *url* if it names an HTTP proxy, with user and password where it has them.

    Raises ValueError, whose text never holds the URL.
    """
    parts = _split(url)
    if (
        parts.scheme not in ("http", "https")
        or parts.path not in ("", "/")
        or "?" in url
        or "#" in url
    ):
        raise ValueError(
            "must be the URL of an HTTP proxy, such as http://proxy.example.com:3128"
        )
    return url


def origin(url: str) -> str:
    """
    Return the origin of *url* as browsers write it: lower case, no default port.

    https, except on the loopback; no user. Raises ValueError, whose text never
    holds the URL.
    """
    parts = _split(url)
    scheme, host = parts.scheme, parts.hostname or ""
    if scheme != "https" and not (scheme == "http" and loopback(url)):
        raise ValueError("must begin with https:// (http:// only on the loopback)")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user or a password")
    if not _HOST.fullmatch(host):
        raise ValueError("must be a URL such as https://www.example.com")
    name = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[scheme]
    return f"{scheme}://{name}" + (
        "" if parts.port in (None, usual) else f":{parts.port}"
    )


def loopback(url: str) -> bool:
    """Return whether *url* is on this very machine."""
    host = host_of(url)
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of *url* in lower case, or nothing where it has none."""
    try:
        return (urllib.parse.urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _split(url: str) -> urllib.parse.SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("must be a URL in plain ASCII")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL such as https://api.example.com") from None
    if not parts.hostname or port == 0:
        raise ValueError("must be a URL such as https://api.example.com")
    return parts
