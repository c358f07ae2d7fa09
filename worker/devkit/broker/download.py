"""Fetch one Maven artifact with jgo, and say plainly why one could not be had."""

import contextlib
import importlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from worker.devkit.broker import process

_TIMEOUT_S = 15


def fetch(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
    """
    Download *coordinate* (``group:artifact:version``) into *folder*.

    Asks the repositories of the user's jgo configuration, if there are any, and
    then Maven Central. Nothing outside *folder* is read or written. Raises
    BrokerError.
    """
    context = _context(folder)
    try:
        artifact = context.create_dependency(coordinate).artifact
        return pathlib.Path(artifact.resolve())
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise process.BrokerError(
            f"Apache Kafka cannot be downloaded: {coordinate} was not to be had from "
            f"{' or '.join(context.remote_repos.values())}. Check that this machine "
            "reaches Maven Central, or name a mirror under [repositories] in "
            "~/.config/jgo.conf, or set KAFKA_BOOTSTRAP_SERVERS to use a broker that "
            "runs already."
        ) from error


def resolve(
    coordinates: Sequence[str], folder: pathlib.Path
) -> dict[str, pathlib.Path]:
    """
    Return *coordinates* and all that they need at run time, each with its file.

    For whoever writes the lock file; nobody else follows dependencies.
    """
    context = _context(folder)
    roots = [context.create_dependency(each) for each in coordinates]
    inputs, needed = context.resolver.resolve(roots)
    return {
        f"{each.groupId}:{each.artifactId}:{each.version}": each.artifact.resolve()
        for each in [*inputs, *needed]
    }


def _context(folder: pathlib.Path) -> Any:  # noqa: ANN401 -- jgo's own class
    """Return what jgo downloads with, kept inside *folder*."""
    repositories: Mapping[str, str] = {}
    # Their configuration stands in the user's home, and there may be no home.
    with contextlib.suppress(RuntimeError):
        repositories = _jgo("jgo.config").GlobalSettings.load().repositories
    central = {"central": _jgo("jgo.constants").MAVEN_CENTRAL_URL}
    return _jgo("jgo.maven").MavenContext(
        repo_cache=folder,
        local_repos=[],
        remote_repos={**repositories, **central},
        timeout=_TIMEOUT_S,
    )


def _jgo(module: str) -> Any:  # noqa: ANN401 -- jgo is not typed throughout
    """Import a part of jgo when it is needed: only the dev extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise process.BrokerError(
            "What fetches the embedded broker is not installed: run `make install` "
            "(it is the Python package jgo)."
        ) from None
