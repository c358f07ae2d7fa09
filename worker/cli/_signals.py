"""Let SIGTERM and SIGINT end every command, as process 1 of a container, too."""

import os
import signal
from types import FrameType


def install() -> None:
    """
    Install handlers that do what the default actions do.

    The kernel has no default action for process 1: without a handler SIGTERM is lost
    there. A signal that the parent process ignores stays ignored.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) in (
        signal.SIG_DFL,
        signal.default_int_handler,
    ):
        # Not Python's own: asyncio replaces that by one that only cancels the main
        # task, which a blocked read of standard input does not notice.
        signal.signal(signal.SIGINT, _interrupt)


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # Only process 1 gets here.
    os._exit(128 + number)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
