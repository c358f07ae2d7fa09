"""Who reads decides what is shown: a person a line, a program JSON."""

import io
import sys
from collections.abc import Mapping

import pytest

from worker import model, policy
from worker.devkit.dev import console

_DECISION = model.Decision(
    decision_id="d1",
    environment=model.Environment.TEST,
    source="idbeyond",
    provider="idbeyond",
    session_id="5b1c2a7e-0d3f-4c6b-9a8e-1f2d3c4b5a69",
    provider_session_id="5b1c2a7e-0d3f-4c6b-9a8e-1f2d3c4b5a69",
    reference=None,
    revision=1,
    verdict=policy.rejected(model.Reason.DECLINED, status="rejected"),
    supersedes=None,
    cause=model.Cause(type=model.CauseType.CALLBACK, event_id="e", received_at=1_000),
    observed_at=1_000,
    decided_at=1_007,
)


class _Terminal(io.TextIOWrapper):
    """A stream that says that a person reads it."""

    def isatty(self) -> bool:
        return True


def _shown(
    monkeypatch: pytest.MonkeyPatch,
    environ: Mapping[str, str],
    *,
    encoding: str = "utf-8",
) -> str:
    held = io.BytesIO()
    stream = _Terminal(held, encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    console.Console(environ).decision(_DECISION, b"{}")
    return held.getvalue().decode(encoding)


def test_a_person_sees_a_coloured_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark, the outcome, the reason, the next step and the time it took."""
    line = _shown(monkeypatch, {})
    assert "\x1b[31m✘\x1b[0m" in line
    for word in ("rejected", "declined", "next: none", "r1", "5b1c2a7e-0d3", "7 ms"):
        assert word in line


@pytest.mark.parametrize(
    ("environ", "encoding"), [({"NO_COLOR": "1"}, "utf-8"), ({}, "ascii")]
)
def test_without_colours_the_words_say_it(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], encoding: str
) -> None:
    """Plain ASCII where colours are not wanted or signs cannot be shown."""
    line = _shown(monkeypatch, environ, encoding=encoding)
    assert line.isascii()
    assert "\x1b" not in line
    assert "rejected" in line


def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As no-color.org has it, an empty value means nothing."""
    assert "✘" in _shown(monkeypatch, {"NO_COLOR": ""})


def test_a_pipe_gets_the_record(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """One JSON line a decision, exactly as it stands in the topic."""
    console.Console({}).decision(_DECISION, b'{"revision":1}')
    assert capfdbinary.readouterr().out == b'{"revision":1}\n'
