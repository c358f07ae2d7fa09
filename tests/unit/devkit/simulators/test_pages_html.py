"""The page of a begun session's person, as a browser finds it."""

import pytest

from tests.support import provider_harness
from worker import model

_BOTH = pytest.mark.parametrize("name", sorted(provider_harness.SETTINGS))


def _unfinished(name: str) -> str:
    return {"biometric": "pending in_progress", "identomat": "not_ready"}[name]


@_BOTH
async def test_the_page_has_a_button_for_each_deed(
    stage: provider_harness.Stage,
) -> None:
    """A browser finds them by their test ids, where the person is sent to."""
    begun = await stage.begun()
    assert begun.url is not None
    async with stage.http.get(begun.url) as response:
        page = await response.text()

    assert response.status == 200
    for name in ("approve", "reject", "abandon", "lost"):
        assert f'data-testid="{name}"' in page


@_BOTH
@pytest.mark.parametrize(
    ("form", "found", "called"),
    [
        ({"does": "approve"}, "approved verified", True),
        ({"does": "reject"}, "rejected biometric_failed", True),
        ({"does": "approve", "lost": "yes"}, "approved verified", False),
    ],
)
async def test_a_button_finishes_the_session(
    stage: provider_harness.Stage,
    form: dict[str, str],
    found: str,
    called: bool,  # noqa: FBT001 -- a table
) -> None:
    """The ingress that was told beforehand is called, unless the callback is lost."""
    begun = await stage.begun()
    assert begun.url is not None
    await stage.press(begun.url, **form)
    async with stage.http.get(begun.url) as response:
        shown = response.status
    again, _, _ = await stage.press(begun.url, **form)

    assert found == await stage.result(begun.session_id)
    assert called == bool(stage.delivered)
    assert (shown, again) == (410, 410)


@_BOTH
async def test_a_button_abandons_the_session(
    stage: provider_harness.Stage, name: str
) -> None:
    """The person stays there, and nobody is told."""
    begun = await stage.begun()
    assert begun.url is not None
    status, place, page = await stage.press(begun.url, does="abandon")

    assert (status, place) == (200, "")
    assert 'data-testid="abandoned"' in page
    assert "postMessage" not in page
    assert await stage.result(begun.session_id) == _unfinished(name)


@_BOTH
async def test_a_person_goes_on_where_no_ingress_listens(
    stage: provider_harness.Stage,
) -> None:
    """That the callback cannot be delivered is no affair of theirs."""
    stage.dashboard.ingress_url = "http://127.0.0.1:1"
    begun = await stage.begun()
    assert begun.url is not None
    status, _, _ = await stage.press(begun.url, does="approve")

    assert status in (200, 303)
    assert await stage.result(begun.session_id) == "approved verified"


@pytest.mark.parametrize("name", ["identomat"])
@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("https://kyc.example.com/r/a", "https://kyc.example.com/r/a?session_token={}"),
        ("https://a.example/?b=1#c", "https://a.example/?b=1&session_token={}#c"),
    ],
)
async def test_identomat_sends_the_person_back(
    stage: provider_harness.Stage, given: str, place: str
) -> None:
    """To the return address, with the token in the query."""
    begun = await stage.begun(return_address=given)
    assert begun.url is not None
    status, found, _ = await stage.press(begun.url, does="approve")

    assert (status, found) == (303, place.format(begun.session_id))


@pytest.mark.parametrize("name", ["identomat"])
async def test_identomats_iframe_says_done(stage: provider_harness.Stage) -> None:
    """Without a return address the page around it hears the documented word."""
    begun = await stage.begun(mode=model.BeginMode.EMBED)
    assert begun.embed is not None
    (address,) = [part for part in begun.embed.split('"') if part.startswith("http")]
    status, place, page = await stage.press(address, does="reject")

    assert (status, place) == (200, "")
    assert "parent.postMessage('DONE', '*')" in page


@pytest.mark.parametrize("name", ["biometric"])
async def test_the_widgets_script_is_where_the_snippet_says(
    stage: provider_harness.Stage,
) -> None:
    """Any page may load it as a module, and it raises the documented event."""
    begun = await stage.begun(mode=model.BeginMode.EMBED)
    assert begun.embed is not None
    (address,) = [part for part in begun.embed.split('"') if part.startswith("http")]
    async with stage.http.get(address) as response:
        script = await response.text()
    widget = f"{stage.url}/flow/{begun.session_id}?widget=true"
    _, _, inside = await stage.press(widget, does="approve")
    begun = await stage.begun()
    _, _, hosted = await stage.press(str(begun.url), does="approve")

    assert response.content_type == "text/javascript"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "startSession" in script
    assert "new CustomEvent('finish'" in script
    assert "postMessage" in inside
    assert "postMessage" not in hosted
