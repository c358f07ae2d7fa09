"""Fetch one Maven artifact with jgo, and say plainly why one could not be had."""

import importlib
import pathlib
from typing import Any

from worker.broker import failure

_TIMEOUT_S = 30


def fetch(coordinate: str, folder: pathlib.Path) -> pathlib.Path:
    """
    Download *coordinate* (``group:artifact:version``) into *folder*.

    Asks the repositories of the user's jgo configuration, if there are any, and
    then Maven Central. Nothing outside *folder* is read or written. Raises
    BrokerError.
    """
    maven = _jgo("jgo.maven")
    repositories = _jgo("jgo.config").GlobalSettings.load().repositories
    central = {"central": _jgo("jgo.constants").MAVEN_CENTRAL_URL}
    context = maven.MavenContext(
        repo_cache=folder,
        local_repos=[],
        remote_repos={**repositories, **central},
        timeout=_TIMEOUT_S,
    )
    try:
        artifact = context.create_dependency(coordinate).artifact
        return pathlib.Path(artifact.resolve())
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise failure.BrokerError(
            f"Apache Kafka cannot be downloaded: {coordinate} was not to be had from "
            f"{' or '.join(context.remote_repos.values())}. Check that this machine "
            "reaches Maven Central, or name a mirror under [repositories] in "
            "~/.config/jgo.conf, or set KAFKA_BOOTSTRAP_SERVERS to use a broker that "
            "runs already."
        ) from error


def _jgo(module: str) -> Any:  # noqa: ANN401 -- jgo is not typed throughout
    """Import a part of jgo when it is needed: only the dev extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise failure.BrokerError(
            "What fetches the embedded broker is not installed: run `make install` "
            "(it is the Python package jgo)."
        ) from None
