"""Make what a browser gets: the way on, a plain page, or a problem."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
import yarl
from aiohttp import hdrs, web

from worker import http_server

_SAFE: dict[str, str] = {
    hdrs.SERVER: "kyc-worker",
    hdrs.CACHE_CONTROL: "no-store",
    # The address holds a ticket, and the provider's own query may hold its token.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><p>{text}</p></html>'
)
_JWKS_MAX_AGE_S = 3600


def redirect(address: str, statement: str | None) -> web.Response:
    """Return the redirect to the company's page, with what it may check."""
    url = yarl.URL(address)
    if statement is not None:
        url = url.update_query(kyc_return=statement)
    return web.Response(
        status=HTTPStatus.SEE_OTHER, headers={**_SAFE, hdrs.LOCATION: str(url)}
    )


def page(status: HTTPStatus, title: str, text: str) -> web.Response:
    """Return a page for the person, of our own words alone."""
    return web.Response(
        status=status,
        text=_PAGE.format(title=title, text=text),
        content_type="text/html",
        headers=_SAFE,
    )


def thank_you_page() -> web.Response:
    """Return the page for whom no page of the company waits."""
    return page(HTTPStatus.OK, "Thank you", "You can close this window.")


def refused() -> web.Response:
    """Return one page for every ticket that is not honoured."""
    return page(
        HTTPStatus.NOT_FOUND,
        "This link is no longer valid",
        "This link is not valid, or no longer. Please go back to where you started.",
    )


def finished(statement: str | None, cors: Mapping[str, str]) -> web.Response:
    """Return what the page around an embedded widget gets."""
    return web.Response(
        body=orjson.dumps({"kyc_return": statement}),
        content_type="application/json",
        headers={**_SAFE, **cors},
    )


def problem(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a problem document (RFC 9457)."""
    return web.Response(
        status=status,
        body=http_server.problem(status, detail),
        content_type=http_server.PROBLEM,
        headers={**_SAFE, **(headers or {})},
    )


def preflight_response(cors: Mapping[str, str]) -> web.Response:
    """Return the answer to a preflight request."""
    return web.Response(
        status=HTTPStatus.NO_CONTENT,
        headers={
            **_SAFE,
            **cors,
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Content-Type",
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
        },
    )


def jwks_response(document: bytes) -> web.Response:
    """Return the public keys; anybody may have them, and keep them for an hour."""
    headers = {
        **_SAFE,
        hdrs.CACHE_CONTROL: f"public, max-age={_JWKS_MAX_AGE_S}",
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    }
    return web.Response(body=document, content_type="application/json", headers=headers)
