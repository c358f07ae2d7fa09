"""Handle standard streams that are missing, closed early, or written on Windows."""

import codecs
import os
import pathlib
import select
import sys
from collections.abc import Iterator
from typing import Final

import click

_STREAMS: Final = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class _Missing:
    """Remembers which streams this process was started without."""

    stdin = False


def complete() -> None:
    """
    Open the null device for each standard stream that is missing (``>&-``).

    Otherwise the next file or socket gets its number, and is written to as if it were
    the stream.
    """
    for number, name, mode in _STREAMS:
        if getattr(sys, name) is not None:
            continue
        _Missing.stdin |= name == "stdin"
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            try:
                os.fstat(number)
            except OSError:
                os.dup2(null, number)
            os.close(null)
        stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115, PTH123 -- as the interpreter keeps its own
        setattr(sys, name, stream)


def reader_is_gone() -> bool:
    """Return whether nothing reads our output any more: the pipe's other end closed."""
    poll = select.poll()
    for number, _, _ in _STREAMS[1:]:
        poll.register(number, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def forget() -> None:
    """Send what is still buffered to nowhere: at exit it would be an error again."""
    null = os.open(os.devnull, os.O_WRONLY)
    for number, _, _ in _STREAMS[1:]:
        os.dup2(null, number)
    os.close(null)


def flush() -> None:
    """Write what is still buffered; raises OSError where it cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()


def need_stdin() -> None:
    """Raise click.ClickException, a sentence, where there is no standard input."""
    if _Missing.stdin:
        raise click.ClickException(
            "standard input is closed: redirect it from a file or a pipe"
        )


def stdin_lines() -> Iterator[bytes]:
    """
    Yield the lines of standard input without their ends, CRLF or LF.

    A byte order mark before the first one is dropped; where it says UTF-16,
    click.ClickException says what to do.
    """
    for number, line in enumerate(sys.stdin.buffer):
        text = line if number else _unmarked(line, "standard input")
        yield text.rstrip(b"\r\n")


def file_bytes(path: pathlib.Path) -> bytes:
    """
    Return what the file at *path* holds, without a byte order mark.

    Raises click.ClickException, a sentence, where it is UTF-16 or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
    return _unmarked(content, str(path))


def _unmarked(content: bytes, name: str) -> bytes:
    if content.startswith(_UTF_16):
        raise click.ClickException(
            f"{name} is UTF-16, as PowerShell's > writes it: save it as UTF-8"
        )
    return content.removeprefix(codecs.BOM_UTF8)
