"""The jars of the broker: pinned, verified, fetched once, and never half."""

import hashlib
import multiprocessing
import os
import pathlib
import pwd
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable

import pytest

from worker.devkit.broker import download, jars, process

_CONTENT = {"g:a:1": b"first" * 100, "g:b:2": b"second" * 100, "g:c:3": b"third" * 9}


def _pins() -> list[jars.Jar]:
    return [
        jars.Jar(
            coordinate=coordinate,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
        )
        for coordinate, content in _CONTENT.items()
    ]


def _fetch(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
    path = folder / coordinate.replace(":", "-")
    path.write_bytes(_CONTENT[coordinate])
    return path


class _Counted:
    """A download that knows what was asked of it."""

    def __init__(self, fetch: jars.Fetch = _fetch) -> None:
        self.asked: list[str] = []
        self._fetch = fetch

    def __call__(self, coordinate: str, folder: pathlib.Path) -> pathlib.Path:
        self.asked.append(coordinate)
        return self._fetch(coordinate, folder)


def test_lock_pins_every_jar_by_hash_and_exact_version() -> None:
    """The committed lock holds 46 different jars with a full SHA-256 each."""
    pins = jars.pinned()
    assert len({pin.name for pin in pins}) == len(pins) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", pin.sha256) for pin in pins)
    assert all(pin.size_bytes > 0 for pin in pins)
    assert "kafka_2.13-4.3.1.jar" in {pin.name for pin in pins}


def test_jars_are_fetched_once(tmp_path: pathlib.Path) -> None:
    """The first call fetches everything, the second nothing."""
    fetch = _Counted()
    paths = jars.ensure(folder=tmp_path, jars=_pins(), fetch=fetch)
    assert [path.read_bytes() for path in paths] == list(_CONTENT.values())
    assert sorted(fetch.asked) == sorted(_CONTENT)
    assert jars.ensure(folder=tmp_path, jars=_pins(), fetch=fetch) == paths
    assert len(fetch.asked) == len(_CONTENT)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"X" + path.read_bytes()[1:]),
        lambda path: path.unlink(),
    ],
    ids=["cut", "changed", "deleted"],
)
def test_damaged_jar_is_fetched_again(
    tmp_path: pathlib.Path, damage: Callable[[pathlib.Path], object]
) -> None:
    """A jar that is cut, changed at the same size, or gone is replaced, no other."""
    path, *_ = jars.ensure(folder=tmp_path, jars=_pins(), fetch=_fetch)
    damage(path)
    fetch = _Counted()
    jars.ensure(folder=tmp_path, jars=_pins(), fetch=fetch)
    assert fetch.asked == ["g:a:1"]
    assert path.read_bytes() == _CONTENT["g:a:1"]


def test_wrong_file_is_refused_and_never_kept(tmp_path: pathlib.Path) -> None:
    """A download with another hash is an error that names the jar."""

    def wrong(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
        path = _fetch(coordinate, folder)
        path.write_bytes(b"something else")
        return path

    with pytest.raises(process.BrokerError, match=r"SHA-256 differs.*mirror"):
        jars.ensure(folder=tmp_path, jars=_pins(), fetch=wrong)
    assert not list(tmp_path.rglob("*.jar"))


def test_passing_trouble_is_retried(tmp_path: pathlib.Path) -> None:
    """A download that fails once, leaving half a file, is repeated from the start."""
    failed: set[str] = set()

    def flaky(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
        path = _fetch(coordinate, folder)
        if coordinate not in failed:
            failed.add(coordinate)
            path.write_bytes(b"half")
            raise process.BrokerError("cut")
        return path

    jars.ensure(folder=tmp_path, jars=_pins(), fetch=flaky)
    assert failed == set(_CONTENT)


def test_abort_ends_a_download(tmp_path: pathlib.Path) -> None:
    """When the start is given up, what has not begun is not fetched."""
    abort = threading.Event()
    abort.set()
    with pytest.raises(process.BrokerError, match="interrupted"):
        jars.ensure(folder=tmp_path, jars=_pins(), fetch=_fetch, abort=abort)


def _slow(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
    time.sleep(0.1)
    (folder.parent.parent / f"asked-{time.monotonic_ns()}").touch()
    return _fetch(coordinate, folder)


def _ensure(folder: pathlib.Path) -> None:
    jars.ensure(folder=folder, jars=_pins(), fetch=_slow)


def test_two_processes_at_once_fetch_once(tmp_path: pathlib.Path) -> None:
    """Of two processes that need the jars one fetches, and both have whole files."""
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_ensure, args=(tmp_path,)) for _ in range(2)]
    for child in both:
        child.start()
    for child in both:
        child.join(9)
    assert [child.exitcode for child in both] == [0, 0]
    assert all(pin.matches(tmp_path / pin.name) for pin in _pins())
    assert len(list(tmp_path.glob("asked-*"))) == len(_CONTENT)


def test_unwritable_cache_says_what_to_set(tmp_path: pathlib.Path) -> None:
    """A cache folder that cannot be is an error that names XDG_CACHE_HOME."""
    (tmp_path / "file").touch()
    with pytest.raises(process.BrokerError, match="XDG_CACHE_HOME"):
        jars.ensure(folder=tmp_path / "file" / "x", jars=_pins(), fetch=_fetch)


def test_cache_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is where XDG_CACHE_HOME says, else in ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert jars.cache_folder() == pathlib.Path("/somewhere/kyc-worker/kafka")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert jars.cache_folder() == pathlib.Path.home() / ".cache/kyc-worker/kafka"


def test_a_user_without_a_home_has_a_private_temporary_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a home the cache is temporary, and refused where others can write."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = jars.cache_folder()
    private = tmp_path / f"kyc-worker-{os.getuid()}"
    assert folder == private / "kyc-worker/kafka" == jars.cache_folder()
    assert private.stat().st_mode & 0o777 == 0o700
    private.chmod(0o777)
    with pytest.raises(process.BrokerError, match="others can write"):
        jars.cache_folder()
    private.rmdir()
    private.symlink_to(tmp_path)
    with pytest.raises(process.BrokerError, match="XDG_CACHE_HOME"):
        jars.cache_folder()


def test_no_network_is_one_clear_sentence(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Maven Central the error names it, the mirror setting and the way out."""
    monkeypatch.setattr("jgo.constants.MAVEN_CENTRAL_URL", "http://127.0.0.1:1/m")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(process.BrokerError) as caught:
        download.fetch("org.slf4j:slf4j-api:1.7.36", tmp_path)
    for word in ("slf4j-api:1.7.36", "127.0.0.1:1", "jgo.conf", "KAFKA_BOOTSTRAP"):
        assert word in str(caught.value)


def test_missing_packages_say_make_install(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without jgo, which only the dev extra brings, the error says `make install`."""
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    monkeypatch.setitem(sys.modules, "jgo.config", None)
    with pytest.raises(process.BrokerError, match="make install"):
        download.fetch("org.slf4j:slf4j-api:1.7.36", tmp_path)
