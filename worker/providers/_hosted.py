"""Check the URL of a hosted flow before it is returned to a caller."""

import urllib.parse

from worker.settings import urls

_URL_MAX = 4096


def may_be_opened(url: str, *, loopback: bool) -> bool:
    """Return whether a browser may be sent there: https, or a simulator's."""
    if len(url) > _URL_MAX or not url.isascii() or "\\" in url:
        return False
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    local = loopback and parts.scheme == "http" and urls.loopback(url)
    return parts.scheme == "https" or local
