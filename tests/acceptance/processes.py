"""Run ``dev`` as a person does, in a process of its own, and look at what it tells."""

import contextlib
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

_ROOT = pathlib.Path(__file__).parents[2]
_PATIENCE_S = 100.0
_POLL_S = 0.05
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Dev:
    """One run of ``dev``; *terminal* makes it believe that a person watches."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: pathlib.Path,
        *,
        kafka: str | None = None,
        terminal: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("KYC_") and name != "NO_COLOR"
        }
        if kafka is not None:
            kept["KAFKA_BOOTSTRAP_SERVERS"] = kafka
        self._out, self._err = folder / "dev.out", folder / "dev.err"
        self._process = (self._on_terminal if terminal else self._on_files)(
            [sys.executable, "-m", "worker", "dev", *arguments],
            {**kept, **(environ or {})},
        )

    def _on_files(
        self, command: Sequence[str], environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            return subprocess.Popen(  # noqa: S603 -- our own command
                command, cwd=_ROOT, env=environ, stdout=out, stderr=err
            )

    def _on_terminal(
        self, command: Sequence[str], environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        ours, theirs = pty.openpty()
        self._err.touch()
        process = subprocess.Popen(  # noqa: S603 -- our own command
            command, cwd=_ROOT, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        threading.Thread(target=self._drain, args=(ours,), daemon=True).start()
        return process

    def _drain(self, ours: int) -> None:
        # A terminal that nobody holds any more is an error to read from.
        with self._out.open("wb", buffering=0) as out, contextlib.suppress(OSError):
            while chunk := os.read(ours, 65_536):
                out.write(chunk)
        os.close(ours)

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything that was written so far, less colours."""
        texts = [path.read_text() for path in (self._err, self._out) if path.exists()]
        return _STYLE.sub("", "\n".join(texts)).replace("\r\n", "\n")

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout that are whole."""
        lines = self._out.read_bytes().split(b"\n")[:-1]
        return [orjson.loads(line) for line in lines]

    def fact(self, name: str) -> str:
        """Return what stands beside *name* among the facts, nothing if nothing."""
        found = re.search(rf"^  {name} +(.+)$", self.output, re.MULTILINE)
        return found[1] if found else ""

    @property
    def url(self) -> str:
        """Where the ingress listens."""
        return self.fact("ingress").partition("/webhooks/")[0]

    @property
    def workers(self) -> list[int]:
        """The pids of the workers as printed at the start."""
        return [int(pid) for pid in re.findall(r"pid (\d+)", self.fact("workers"))]

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until *holds*; fail with the output if it never does."""
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            code = self._process.poll()
            assert code is None, f"ended with {code} before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"never {what}:\n{self.output}"
            time.sleep(_POLL_S)

    def until_output(self, text: str) -> None:
        """Wait until *text* was written."""
        self.until(lambda: text in self.output, text)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send *number* if there is one, and return the exit code."""
        if number is not None:
            self._process.send_signal(number)
        return self._process.wait(_PATIENCE_S)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self._process.kill()
        self._process.wait()
