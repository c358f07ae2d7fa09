"""docs/api.md says what the api takes and answers."""

import dataclasses
import re

from tests.support import pages
from worker import api, model
from worker.api import responses

_PAGE = "api.md"


def test_every_answer_of_the_api_is_documented() -> None:
    """Each status that the api answers with is in its table, and no other."""
    rows = pages.rows(_PAGE, "status")
    documented = {
        int(status) for row in rows for status in re.findall(r"\d{3}", row[0])
    }

    assert {201, 202} | {status for status, _ in responses.PROBLEMS.values()} == (
        documented
    )


def test_every_member_is_documented() -> None:
    """The members of request and response, by the names in the code."""
    requested = [
        pages.codes(row[0])[0] for row in pages.rows(_PAGE, "member of the request")
    ]
    answered = {
        name
        for row in pages.rows(_PAGE, "member of the response, 201")
        for name in pages.codes(row[0])
    }
    started = api.document_of(
        "a",
        api.BeginResult(
            begun=model.StartedSession(
                session_id="s",
                provider_session_id="s",
                url="u",
                embed="e",
                expires_at=1,
            ),
            reference="r",
            return_url="r",
            finished_url="f",
        ),
    )

    assert requested == [field.name for field in dataclasses.fields(api.Begin)]
    assert answered == set(started)


def test_every_state_is_documented() -> None:
    """Each word of a 409."""
    documented = [
        pages.codes(row[0])[0] for row in pages.rows(_PAGE, "`state` of a 409")
    ]

    assert sorted(documented) == sorted(api.Repeat)
