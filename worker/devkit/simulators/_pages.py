"""
Play what follows a begin call: the call's own faults, and the person with their page.

A person is played over HTTP (see _server) or by a browser: every page has the buttons
``approve``, ``reject`` and ``abandon``, and a box ``lost`` that loses the callback.
"""

import dataclasses
import enum
import html
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from worker import model
from worker.devkit.simulators import _delivery, _faults, _protocol, _scenario
from worker.settings import urls

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated {name}</title></head>
<body>
<h1>Simulated {name}</h1>
{body}
</body>
</html>
"""
_BUTTONS = """<form method="post">
<p><label><input type="checkbox" name="lost" value="yes" data-testid="lost">
lose the callback</label></p>
<p><button name="does" value="approve" data-testid="approve">Approve</button>
<button name="does" value="reject" data-testid="reject">Reject</button>
<button name="does" value="abandon" data-testid="abandon">Abandon</button></p>
</form>"""


class PersonAction(enum.StrEnum):
    """What a person does with a session."""

    FINISH = "finish"
    ABANDON = "abandon"


_BUTTON: dict[object, tuple[PersonAction, model.Outcome]] = {
    "approve": (PersonAction.FINISH, model.Outcome.APPROVED),
    "reject": (PersonAction.FINISH, model.Outcome.REJECTED),
    "abandon": (PersonAction.ABANDON, model.Outcome.PENDING),
}


class PersonIsThrough(Exception):
    """The session is finished; a person finishes it once."""


@dataclasses.dataclass(slots=True)
class PersonControls:
    """What whoever steers has told the provider beforehand."""

    #: where callbacks go, unless the begin call says
    ingress_url: str | None = None
    #: how the next begin calls go wrong; counted like result calls
    begins: _scenario.SimulatedSession | None = None


DASHBOARD: web.AppKey[PersonControls] = web.AppKey("dashboard", PersonControls)


def begins(handler: Handler) -> Handler:
    """
    Return a begin call that fails as the dashboard says.

    An error begins nothing; a call that hangs has begun a session of which the caller
    never hears.
    """

    async def disturbed(request: web.Request) -> web.StreamResponse:
        wanted = request.app[DASHBOARD].begins
        turn = None if wanted is None else wanted.turn()
        if wanted is not None and turn is _scenario.ResponseKind.ERROR:
            return _faults.failure(wanted.scenario)
        answer = await handler(request)
        if turn is _scenario.ResponseKind.HANG:
            await _faults.never()
        return answer

    return disturbed


async def act(
    simulator: _protocol.Simulator,
    session_id: str,
    deed: PersonAction,
    scenario: _scenario.Scenario,
    *,
    dashboard: PersonControls,
    deliver_to: str | None = None,
) -> list[int] | None:
    """
    Let the person of a session do *deed*; return what the ingress answered.

    Finishing makes the result ready, as *scenario* has it, and sends the callbacks,
    unless the scenario loses them. Who abandoned may still finish. None where there was
    nothing to send, or nowhere to. Raises KeyError, PersonIsThrough, and what
    ``deliver`` raises: the session is finished then all the same.
    """
    held = simulator.held(session_id)
    if held.standing is _scenario.PersonState.FINISHED:
        raise PersonIsThrough
    if deed is PersonAction.ABANDON:
        held.standing = _scenario.PersonState.ABANDONED
        return None
    held.scenario, held.standing = scenario, _scenario.PersonState.FINISHED
    callbacks = simulator.callbacks(session_id)
    address = deliver_to or _told_address(held) or dashboard.ingress_url
    if not callbacks or address is None:
        return None
    return await _delivery.deliver(callbacks, address)


def _told_address(held: _scenario.SimulatedSession) -> str | None:
    """Return whom the begin call said to call back, if it is this machine."""
    url = held.webhook_url
    if url is None or not urls.loopback(url):
        return None
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def add_page(
    app: web.Application,
    path: str,
    simulator: _protocol.Simulator,
    find: Callable[[web.Request], str],
    leave: Callable[[web.Request, _scenario.SimulatedSession], web.StreamResponse],
) -> None:
    """
    Add the person's page of *simulator* at *path*.

    *find* returns the session id of a request; *leave* answers the browser of a person
    who has finished: with a redirect, or with a page that tells its parent.
    """

    async def show(request: web.Request) -> web.StreamResponse:
        held = _found(simulator, find(request))
        if held is None:
            return page(simulator.name, "<p>There is no such session.</p>", status=404)
        if held.standing is _scenario.PersonState.FINISHED:
            return page(simulator.name, "<p>This session is over.</p>", status=410)
        return page(simulator.name, _BUTTONS)

    async def press(request: web.Request) -> web.StreamResponse:
        held = _found(simulator, find(request))
        given = await request.post()
        button = _BUTTON.get(given.get("does"))
        if held is None or button is None:
            return page(simulator.name, "<p>Nobody can do that.</p>", status=400)
        deed, outcome = button
        scenario = _scenario.Scenario(outcome=outcome, missing="lost" in given)
        try:
            await act(
                simulator,
                held.session_id,
                deed,
                scenario,
                dashboard=request.app[DASHBOARD],
            )
        except PersonIsThrough:
            return page(simulator.name, "<p>This session is over.</p>", status=410)
        except (aiohttp.ClientError, OSError, ValueError):
            pass  # the callback is lost; that is no affair of the person's
        if deed is PersonAction.ABANDON:
            return page(simulator.name, '<p data-testid="abandoned">Good-bye.</p>')
        return leave(request, held)

    app.router.add_get(path, show)
    app.router.add_post(path, press)


def _found(
    simulator: _protocol.Simulator, session_id: str
) -> _scenario.SimulatedSession | None:
    try:
        return simulator.held(session_id)
    except KeyError:
        return None


def page(name: str, body: str, *, status: int = 200) -> web.Response:
    """Return a page of the provider *name*; *body* is HTML."""
    text = _PAGE.format(name=html.escape(name), body=body)
    return web.Response(text=text, status=status, content_type="text/html")


def back(url: str, query: dict[str, str]) -> web.Response:
    """Send the browser back to the company, with *query* added to its address."""
    parts = urllib.parse.urlsplit(url)
    pairs = [*urllib.parse.parse_qsl(parts.query), *query.items()]
    target = parts._replace(query=urllib.parse.urlencode(pairs)).geturl()
    return web.Response(status=303, headers={"Location": target})


def session_list(simulator: _protocol.Simulator) -> list[dict[str, Any]]:
    """Return every session with how far its person is."""
    return [
        {
            "session_id": held.session_id,
            "standing": held.standing,
            "reference": held.reference,
        }
        for held in simulator.sessions()
    ]
