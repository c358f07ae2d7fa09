"""
Start a child process that ends with its parent, or one that outlives it.

A bound child is the program itself (its pid is Popen's), so signals hit it and no
wrapper. Next to it a shell reads from a pipe that only the parent holds: when the
parent is gone, however it went, the read ends and the shell kills the child.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Self

# $0 is a folder that is deleted after a parent that could not do so, or "".
_BOUND = """
exec 3<&0
{ read -r _ <&3 || { kill -9 $$; sleep 1; [ -z "$0" ] || rm -rf -- "$0"; } } \
    >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null
"""
_DETACHED = """
log=$0
"$@" >>"$log" 2>&1 </dev/null &
echo $!
"""
_POLL_S = 0.02


class Child:
    """A running program, bound to this process."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_path: pathlib.Path,
        doomed: pathlib.Path | None = None,
    ) -> None:
        with log_path.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 -- because we wrote it
                ["/bin/sh", "-c", _BOUND, str(doomed or ""), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the parent, which then ends us in its own order.
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def alive(self) -> bool:
        """Tell whether the program still runs."""
        if self._popen.poll() is None:
            return True
        self._release()
        return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the program has ended."""
        self._popen.send_signal(number)

    def _release(self) -> None:
        """Tell the shell next to it that there is nothing left to kill."""
        pipe = self._popen.stdin
        if pipe is None or pipe.closed:
            return
        try:
            pipe.write(b"\n")
            pipe.close()
        except BrokenPipeError:
            pass  # somebody ended the shell first


class Detached:
    """A running program that belongs to nobody, known by its pid."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @classmethod
    def spawn(cls, command: Sequence[str], *, log_path: pathlib.Path) -> Self:
        """Start *command* so that it outlives this process."""
        completed = subprocess.run(  # noqa: S603 -- because we wrote it
            ["/bin/sh", "-c", _DETACHED, str(log_path), *command],
            stdout=subprocess.PIPE,
            start_new_session=True,
            check=True,
        )
        return cls(int(completed.stdout))

    @classmethod
    def find(cls, pid_path: pathlib.Path, *, argument: str) -> Self | None:
        """
        Return the program that *pid_path* names if it runs with *argument*.

        A pid is used again by the system; the argument is what makes it ours.
        """
        try:
            pid = int(pid_path.read_text())
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return cls(pid) if argument.encode() in words else None

    def alive(self) -> bool:
        """Tell whether the program still runs."""
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        # A zombie that nobody has reaped yet has ended.
        return stat.rpartition(")")[2].split()[0] != "Z"

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the program has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def wait(children: Sequence[Child | Detached], *, timeout_s: float) -> bool:
    """Wait until all have ended; tell whether they did in time."""
    deadline = time.monotonic() + timeout_s
    while any(child.alive() for child in children):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def terminate(children: Sequence[Child | Detached], *, timeout_s: float) -> None:
    """End all at once: SIGTERM, and SIGKILL for what is left after *timeout_s*."""
    for child in children:
        child.send(signal.SIGTERM)
        child.send(signal.SIGCONT)
    if not wait(children, timeout_s=timeout_s):
        for child in children:
            child.send(signal.SIGKILL)
        wait(children, timeout_s=timeout_s)


_LINES = 15
# Kafka ends with a page of routine lines; the cause stands above it.
_ROUTINE = re.compile(r"^\S+ \[.*?\] (INFO|DEBUG|TRACE) |^\tat |^\s*$")


class BrokerError(Exception):
    """The embedded broker cannot be had; the message is a sentence for a person."""


def log_end(path: pathlib.Path, *, since: int) -> str:
    """Return what matters at the end of the log at *path*, from byte *since* on."""
    try:
        with path.open("rb") as log:
            log.seek(since)
            return excerpt(log.read().decode(errors="replace"))
    except FileNotFoundError:
        return ""


def excerpt(text: str) -> str:
    """Return the last warnings and errors in *text*, or if none its last lines."""
    lines = text.splitlines()
    telling = [line for line in lines if not _ROUTINE.match(line)]
    return "\n".join((telling or lines)[-_LINES:])
