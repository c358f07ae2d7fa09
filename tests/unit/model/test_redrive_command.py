"""The command of a dead letter is text for an operator's shell."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import model

_ID = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


def _command(session_id: str) -> str:
    return model.redrive_command(model.SessionKey("idnow_de", session_id))


def test_a_harmless_id_stands_as_it_is() -> None:
    """The command of a usual session needs no quotes."""
    assert _command("tst-7kqzm") == (
        "kyc-worker dlq redrive --source idnow_de --session tst-7kqzm"
    )


@pytest.mark.parametrize("session_id", ["x;touch${IFS}x;", "$(x)", "`x`", "'", "-x|y"])
def test_a_shell_takes_a_hostile_id_as_one_word(session_id: str) -> None:
    """Nothing that an outsider chose for a session id is run."""
    asked = f'kyc-worker() {{ printf "%s\\n" "$@"; }}; {_command(session_id)}'
    run = subprocess.run(  # noqa: S603 -- what the test itself composes
        ["/bin/bash", "-c", asked], capture_output=True, text=True, check=True
    )

    words = ["dlq", "redrive", "--source", "idnow_de", "--session", session_id]
    assert words == run.stdout.splitlines()


@given(_ID.filter(lambda text: len(text) <= 255))
def test_it_is_short_enough_for_its_record(session_id: str) -> None:
    """What would be too long once it is quoted is for the whole source."""
    words = shlex.split(_command(session_id))

    assert len(_command(session_id)) <= 400
    assert words[5:] in (["--session", session_id], [])


def test_the_longest_quoted_id_is_left_out() -> None:
    """255 quotation marks become five characters each."""
    assert _command("'" * 255) == "kyc-worker dlq redrive --source idnow_de"
