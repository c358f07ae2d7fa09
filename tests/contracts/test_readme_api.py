"""The README says what the api takes and answers."""

import dataclasses
import re

from tests.contracts import test_readme as readme
from worker import api, model
from worker.api import answers

_TITLE = "Begin and register"


def test_every_answer_of_the_api_is_told() -> None:
    """Each status that the api answers with stands in its table, and no other."""
    rows = readme.rows(_TITLE, "answer of the api")
    told = {int(status) for row in rows for status in re.findall(r"\d{3}", row[0])}

    assert {201, 202} | {status for status, _ in answers.PROBLEMS.values()} == told


def test_every_member_is_told() -> None:
    """What may be asked, and what is answered, by the names in the code."""
    asked = [
        readme.words(row)[0] for row in readme.rows(_TITLE, "member of the request")
    ]
    answered = {
        name
        for row in readme.rows(_TITLE, "member of the answer, 201")
        for name in readme.words(row)
    }
    begun = api.document_of(
        "a",
        api.Started(
            begun=model.Begun(
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

    assert asked == [field.name for field in dataclasses.fields(api.Begin)]
    assert answered == set(begun)


def test_every_state_is_told() -> None:
    """Each word of a 409."""
    told = [readme.words(row)[0] for row in readme.rows(_TITLE, "`state` of a 409")]

    assert sorted(told) == sorted(api.Repeat)
