"""What chaos prints and writes for each seed and for all, and how it exits."""

import pathlib
from typing import Any

import orjson
import pytest
from click import testing

from tests.chaos import __main__ as command
from tests.chaos import checker, trial

_BROKEN = checker.Violation(
    promise=3, sentence="a repeat", session="idnow:s1", history=("events p1 @2",)
)


def _report(seed: int, **changed: Any) -> trial.Report:  # noqa: ANN401 -- any field
    found: dict[str, Any] = {
        "seed": seed,
        "seconds": 60.0,
        "callbacks": 100,
        "retries": 7,
        "events": 90,
        "sessions": 50,
        "decisions": 55,
        "hurt": {"worker kills": 3, "broker freezes": 1},
        "dead_letters": {},
        "settled_s": 4.2,
        "violations": [],
        "ended": [],
    }
    return trial.Report(**(found | changed))


def _play(
    monkeypatch: pytest.MonkeyPatch,
    out: pathlib.Path,
    reports: dict[int, trial.Report | Exception],
    *more: str,
) -> tuple[testing.Result, dict[str, Any]]:
    """Run the command over seeds that show *reports*."""

    async def play(
        seed: int, _seconds: float, folder: pathlib.Path, **_: object
    ) -> trial.Report:
        (folder / "work-1.log").write_text("its last words")
        (folder / "kyc.toml").write_text("secrets")
        report = reports[seed]
        if isinstance(report, Exception):
            raise report
        return report

    monkeypatch.setattr(trial, "play", play)
    arguments = ["--seed", "1", "--seeds", str(len(reports)), "--out", str(out), *more]
    result = testing.CliRunner().invoke(command.main, arguments)
    return result, orjson.loads((out / "chaos.json").read_bytes())


def test_good_seeds_are_a_line_each_and_a_total(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """Nothing is kept of a good seed but its figures."""
    result, written = _play(monkeypatch, tmp_path, {1: _report(1), 2: _report(2)})

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["seed 1", "seed 2", "total"]
    assert written["totals"] == {
        "seeds": 2,
        "worker kills": 6,
        "broker freezes": 2,
        "hurts": 8,
        "callbacks acknowledged": 200,
        "sessions": 100,
        "decisions": 110,
        "dead letters": 0,
        "violations": 0,
    }
    assert [each.name for each in tmp_path.iterdir()] == ["chaos.json"]


@pytest.mark.parametrize("changed", [{"violations": [_BROKEN]}, {"ended": ["work: 1"]}])
def test_a_broken_promise_is_told_kept_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, changed: dict[str, Any]
) -> None:
    """Even without noise; the processes' logs stay, their secrets do not."""
    reports: dict[int, trial.Report | Exception] = {
        1: _report(1),
        2: _report(2, **changed),
    }
    result, written = _play(monkeypatch, tmp_path, reports, "--quiet")

    assert result.exit_code == 1
    found = "work: 1" if "ended" in changed else "events p1 @2"
    assert found in result.output
    assert "seed 1" not in result.output
    assert written["totals"]["violations"] == 1
    assert [each.name for each in (tmp_path / "chaos-2").iterdir()] == ["work-1.log"]


def test_a_trial_that_fails_is_no_good_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """The next seed is played all the same."""
    reports: dict[int, trial.Report | Exception] = {
        1: RuntimeError("no broker"),
        2: _report(2),
    }
    result, written = _play(monkeypatch, tmp_path, reports)

    assert result.exit_code == 1
    assert written["failed"] == ["seed 1: RuntimeError: no broker"]
    assert written["totals"]["seeds"] == 1
