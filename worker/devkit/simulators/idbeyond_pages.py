"""
Show id beyond's pages: the hosted flow's end, and the widget's module.

The vendor's guide (seen 2026-11-21) names the widget's events and not their shape, and
the package is not public: what a message holds is made up here.
"""

import urllib.parse

import orjson
from aiohttp import web

from worker.devkit.simulators import _pages, _scenario

PATH = "/verification/session/{session_id}"

# Guide, 2b: an iframe with "allow=camera;microphone;fullscreen;autoplay", lifecycle
# events by window.postMessage, and a callback for each.
_MODULE = """\
const origin = new URL(import.meta.url).origin;
const callbacks = {
  "uniicy:ready": "onReady",
  "uniicy:step": "onStep",
  "uniicy:complete": "onComplete",
  "uniicy:error": "onError",
};

export function init({ publishableKey }) {
  if (typeof publishableKey !== "string" || !publishableKey.startsWith("pk_")) {
    throw new Error("init needs a publishable key");
  }
  return {
    mount(element, options) {
      const frame = document.createElement("iframe");
      const token = encodeURIComponent(options.clientSecret);
      frame.allow = "camera; microphone; fullscreen; autoplay";
      frame.src = `${origin}/verification/session/${options.sessionId}?token=${token}`;
      addEventListener("message", (event) => {
        if (event.source !== frame.contentWindow || event.origin !== origin) return;
        const name = callbacks[event.data?.type];
        if (name !== undefined) options[name]?.(event.data);
      });
      frame.addEventListener("load", () => options.onReady?.());
      element.append(frame);
    },
  };
}
"""
_COMPLETE = """<p data-testid="done">Thank you.</p>
<script>window.parent.postMessage(%s, "*");</script>"""


async def module(_: web.Request) -> web.Response:
    """Answer with the widget, which any page may import."""
    return web.Response(
        text=_MODULE,
        content_type="text/javascript",
        headers={"Access-Control-Allow-Origin": "*"},
    )


def hosted_url(request: web.Request, session_id: str, token: str) -> str:
    """Return the address of the hosted flow; the token in it is a credential."""
    path = PATH.format(session_id=session_id)
    query = urllib.parse.urlencode({"token": token})
    return f"{request.url.origin()}{path}?{query}"


def leave(held: _scenario.SimulatedSession, status: str) -> web.Response:
    """
    Answer the browser of a person who has finished.

    Guide, 4: a 302 to ``{returnUrl}?session_id={uuid}&status={reviewStatus}``; without
    a returnUrl "users land on the built-in completion screen".
    """
    if held.return_url is not None:
        answer = _pages.back(
            held.return_url, {"session_id": held.session_id, "status": status}
        )
        answer.set_status(302)
        return answer
    page_data = {
        "type": "uniicy:complete",
        "sessionId": held.session_id,
        "status": status,
    }
    script = orjson.dumps(page_data).decode().replace("<", "\\u003c")
    return _pages.page("idbeyond", _COMPLETE % script)


#: vendor's operator starter, seen 2026-11-20
_SECRET_MIN_CHARS = 16


def wrong_field(given: object) -> str | None:
    """Return the first field of the create call that has not its documented type."""
    if not isinstance(given, dict):
        return "body"
    for name in ("externalUserId", "returnUrl", "webhookUrl", "webhookSecret"):
        if not isinstance(given.get(name), str | None):
            return name
    if not isinstance(given.get("metadata"), dict | None):
        return "metadata"
    secret = given.get("webhookSecret")
    short = secret is not None and len(secret) < _SECRET_MIN_CHARS
    return "webhookSecret" if short else None
