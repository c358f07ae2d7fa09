"""Run commands as real processes: streams that end early, signals, process 1."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

_COMMAND = [sys.executable, "-m", "worker"]
_TIMEOUT_S = 60
_CONFIG = """
[sources.identomat]
provider = "identomat"
environment = "test"
company_key = "synthetic-company-key"
url_secrets = ["0123456789abcdef0123456789abcdef"]
callback_api_keys = ["0123456789abcdef0123456789abcdef-2"]
[kafka]
bootstrap_servers = "127.0.0.1:1"
"""
_PRINTING = (("--help",), ("api-key",), ("url", "identomat", "--reveal"))


@pytest.fixture(name="config")
def _config(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "kyc.toml"
    path.write_text(_CONFIG)
    return path


def _command(arguments: Sequence[str], config: pathlib.Path) -> list[str]:
    configured = arguments[0] in {"check", "url", "recheck", "register", "topics"}
    return [*_COMMAND, *arguments, *(["--config", str(config)] if configured else [])]


def _ended(
    command: Sequence[str],
    **streams: Any,  # noqa: ANN401 -- as subprocess.run takes them
) -> "subprocess.CompletedProcess[bytes]":
    """Run *command* to its end."""
    return subprocess.run(  # noqa: S603 -- our own command
        command, timeout=_TIMEOUT_S, check=False, **streams
    )


@pytest.mark.parametrize("arguments", _PRINTING, ids=" ".join)
def test_a_closed_pipe_needs_no_words(
    arguments: tuple[str, ...], config: pathlib.Path
) -> None:
    """A reader that has gone ends a command without a line on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = _ended(
        _command(arguments, config),
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_closed_pipe_for_errors_needs_no_words(config: pathlib.Path) -> None:
    """Nor does one that nobody reads the complaints of."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = _ended(
        _command(("recheck", "identomat", "../etc"), config),
        stdout=subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    assert (ended.returncode, ended.stdout) == (1, b"")


@pytest.mark.parametrize("arguments", _PRINTING, ids=" ".join)
def test_a_full_disk_is_told_as_one(
    arguments: tuple[str, ...], config: pathlib.Path
) -> None:
    """What the system refuses is told, and a port only where it is one."""
    with pathlib.Path("/dev/full").open("wb") as full:
        ended = _ended(
            _command(arguments, config),
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert ended.returncode == 1
    assert ended.stderr.count(b"No space left on device") == 1
    assert b"port" not in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", _PRINTING, ids=" ".join)
def test_a_missing_stream_is_no_fault(
    arguments: tuple[str, ...], closed: str, config: pathlib.Path
) -> None:
    """A command that was started without a standard stream does its work."""
    ended = _ended(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *_command(arguments, config)],
        capture_output=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments", [("register", "identomat"), ("recheck", "identomat", "--stdin")]
)
def test_a_missing_standard_input_is_a_sentence(
    arguments: tuple[str, ...], config: pathlib.Path
) -> None:
    """A command that reads it says that it is closed."""
    ended = _ended(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *_command(arguments, config)],
        capture_output=True,
    )
    assert ended.returncode == 1
    assert b"standard input is closed" in ended.stderr


@pytest.mark.parametrize(
    ("given", "result"),
    [
        ("no session\n".encode("utf-16"), b"standard input is UTF-16"),
        (b"\xef\xbb\xbf" + b"a" * 39 + b"\r\n", b"'" + b"a" * 39 + b"' is no session"),
        (b"\xff\n", b"is no session id"),
    ],
)
def test_ids_from_windows_tools(
    given: bytes, result: bytes, config: pathlib.Path
) -> None:
    """Byte order marks and CRLF are no part of an id; UTF-16 is a sentence."""
    ended = _ended(
        _command(("recheck", "identomat", "--stdin"), config),
        input=given,
        capture_output=True,
    )
    assert ended.returncode == 1
    assert result in ended.stderr
    assert b"Traceback" not in ended.stderr


def _may_be_process_1() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = _ended([*_UNSHARE, "true"], capture_output=True)
    return tried.returncode == 0


_UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


@pytest.fixture(name="_sigint")
def _sigint_is_not_ignored() -> Iterator[None]:
    """Undo what a shell does to what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_sigint")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "arguments",
    [
        ("recheck", "identomat", "--stdin"),
        ("session", "identomat", "a" * 40),
        ("tail",),
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("first", [False, True], ids=["usual", "process 1"])
def test_a_signal_ends_every_command(
    arguments: tuple[str, ...],
    number: signal.Signals,
    config: pathlib.Path,
    *,
    first: bool,
) -> None:
    """SIGTERM and SIGINT end a command that waits, as process 1 of a container, too."""
    if first and not _may_be_process_1():
        pytest.skip("this machine lets nobody make a namespace of process ids")
    command = [*_COMMAND, *arguments, "--config", str(config)]
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [*_UNSHARE, *command] if first else command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        pid = _waiting(process.pid, first=first)
        os.kill(pid, number)
        assert process.wait(15) != 0 or arguments[0] == "tail"
    finally:
        process.kill()
        process.communicate()


def _waiting(pid: int, *, first: bool) -> int:
    """Return the process of the command once it catches the signals."""
    until = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < until:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = int(children[0]) if first and children else pid
        status = pathlib.Path(f"/proc/{found}/status").read_text()
        caught = int(status.split("SigCgt:")[1].split()[0], 16)
        if (not first or children) and caught >> (signal.SIGTERM - 1) & 1:
            return found
        time.sleep(0.02)
    raise AssertionError("the command never caught SIGTERM")
