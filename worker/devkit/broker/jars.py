"""Have the broker's jars in the user's cache folder, each one with its pinned hash."""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence

from worker.devkit.broker import download, process, progress

LOCK = pathlib.Path(__file__).with_name("jars.lock")
_AT_ONCE = 4
_ATTEMPTS = 3
_POLL_S = 0.1

# Puts the file of a Maven coordinate somewhere into a folder and returns its path.
Fetch = Callable[[str, pathlib.Path], pathlib.Path]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One pinned file of the broker."""

    coordinate: str
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """The name of the file: artifact and version."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def matches(self, path: pathlib.Path) -> bool:
        """Tell whether the file at *path* is this jar, to the last bit."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:  # what cannot be read is not there
            return False


def pinned(lock: pathlib.Path = LOCK) -> list[Jar]:
    """Return what the lock file pins."""
    rows = [line.split() for line in lock.read_text().splitlines() if line[:1] != "#"]
    return [
        Jar(coordinate=coordinate, sha256=sha256, size_bytes=int(size))
        for sha256, size, coordinate in rows
    ]


def release() -> str:
    """Return a word that is another one for other jars."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]


def cache_folder() -> pathlib.Path:
    """
    Return the folder of this program's jars in the user's cache.

    Where the user has no home, a folder of theirs among the temporary files. Raises
    BrokerError where that is somebody else's.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")  # noqa: TID251 -- XDG's own variable
    if os.path.isabs(cache):  # noqa: PTH117 -- XDG: a relative one is to be ignored
        base = pathlib.Path(cache)
    else:
        try:
            base = pathlib.Path.home() / ".cache"
        except RuntimeError:
            base = _temporary()
    return base / "kyc-worker" / "kafka"


def _temporary() -> pathlib.Path:
    """Return a temporary folder of this user, the same one at every call."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"kyc-worker-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise process.BrokerError(
            f"This user has no home, and {folder} cannot be made ({error.strerror}): "
            "set HOME, or XDG_CACHE_HOME to a folder that is writable."
        ) from error
    # Whoever can write there could change a jar between its check and its use.
    private = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not (stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and private):
        raise process.BrokerError(
            f"This user has no home, and others can write to {folder}: "
            "set HOME, or XDG_CACHE_HOME to a folder that is writable."
        )
    return folder


def ensure(
    *,
    folder: pathlib.Path | None = None,
    jars: Sequence[Jar] | None = None,
    fetch: Fetch = download.fetch,
    abort: threading.Event | None = None,
) -> list[pathlib.Path]:
    """
    Return the paths of all jars, fetching those that are missing or damaged.

    Every file is hashed at every call (45 MB, a tenth of a second). Safe to call
    from several processes at once: one fetches, the others wait for it, and a file
    appears under its name only when it is complete. Raises BrokerError when a jar
    cannot be fetched or is not what was pinned, or when *abort* is set.
    """
    folder = folder or cache_folder()
    jars = pinned() if jars is None else jars
    abort = abort or threading.Event()
    if any(not jar.matches(folder / jar.name) for jar in jars):
        with sole_writer(folder):
            # Looked at again: another process may have fetched them meanwhile.
            missing = [jar for jar in jars if not jar.matches(folder / jar.name)]
            if missing:
                _fetch_all(missing, folder=folder, fetch=fetch, abort=abort)
    return [folder / jar.name for jar in jars]


@contextlib.contextmanager
def sole_writer(folder: pathlib.Path) -> Iterator[None]:
    """Hold *folder* for this process alone; others wait. Raises BrokerError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise process.BrokerError(
            f"The broker's jars cannot be kept in {folder} ({error.strerror}): "
            "make that folder writable, or set XDG_CACHE_HOME to one that is."
        ) from error
    with lock:
        # Given back by the system if this process dies.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_all(
    jars: Sequence[Jar],
    *,
    folder: pathlib.Path,
    fetch: Fetch,
    abort: threading.Event,
) -> None:
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch,
        progress.shown([jar.size_bytes for jar in jars]) as advance,
        concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        waiting = {
            pool.submit(_fetch_one, jar, folder, pathlib.Path(scratch), fetch): jar
            for jar in jars
        }
        try:
            while waiting:
                done, _ = concurrent.futures.wait(
                    waiting,
                    timeout=_POLL_S,
                    return_when=concurrent.futures.FIRST_COMPLETED,
                )
                for future in done:
                    future.result()
                    advance(waiting.pop(future).size_bytes)
                if abort.is_set():
                    raise process.BrokerError("The download was interrupted.")
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch_one(
    jar: Jar, folder: pathlib.Path, scratch: pathlib.Path, fetch: Fetch
) -> None:
    """Fetch *jar*, more than once if need be: a cut connection is not the end."""
    for attempt in range(1, _ATTEMPTS + 1):
        # A folder of its own: what a cut connection left is no file to be reused.
        own = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        try:
            _checked(jar, fetch(jar.coordinate, own)).replace(folder / jar.name)
        except process.BrokerError:
            if attempt == _ATTEMPTS:
                raise
        else:
            return


def _checked(jar: Jar, path: pathlib.Path) -> pathlib.Path:
    if jar.matches(path):
        return path
    raise process.BrokerError(
        f"{jar.name} is not the file that was pinned (its SHA-256 differs): "
        "check the mirror that it came from, or the network's proxy."
    )
