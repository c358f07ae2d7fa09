"""
Format the empty data folder of a broker, without starting Java where possible.

Kafka's own tool writes two files: ``meta.properties``, which names the cluster, the
node and the folder, and ``bootstrap.checkpoint``, which is the same for every broker
of a release that is formatted without arguments (Kafka 4.3.1, compared 2026-11-30).
The second one is kept in the cache, so that the tool runs once for a release: it
costs 2 s of CPU time.
"""

import base64
import contextlib
import pathlib
import subprocess
import tempfile
import uuid
from collections.abc import Sequence

from worker.devkit.broker import config, jars, java, process

_META = "meta.properties"
_CHECKPOINT = "bootstrap.checkpoint"


def format_folders(
    kafka: java.Kafka, properties: Sequence[pathlib.Path], arguments: Sequence[str]
) -> None:
    """
    Format the folder ``data`` beside each of *properties* that is not formatted yet.

    All belong to one cluster. *arguments* go to Kafka's tool. Raises BrokerError.
    """
    ids = {
        each: config.formatted_cluster_id(each.parent / "data") for each in properties
    }
    known = next((each for each in ids.values() if each), None)
    cluster_id = known or config.new_cluster_id()
    new = [each for each, formatted in ids.items() if formatted is None]
    kept = _kept_checkpoint()
    if not arguments and kept.exists():
        for each in new:
            _write(each, cluster_id, kept.read_bytes())
        return
    _run_tool(kafka, new, cluster_id, arguments)
    if new and not arguments:
        _keep(new[0].parent / "data" / _CHECKPOINT, kept)


def _kept_checkpoint() -> pathlib.Path:
    return jars.cache_folder() / f"{jars.release()}-{_CHECKPOINT}"


def _keep(checkpoint: pathlib.Path, kept: pathlib.Path) -> None:
    """Copy *checkpoint* to *kept*, whole or not at all; a full disk is no failure."""
    with (
        contextlib.suppress(OSError),
        tempfile.TemporaryDirectory(dir=kept.parent, prefix=".format-") as scratch,
    ):
        copy = pathlib.Path(scratch) / _CHECKPOINT
        copy.write_bytes(checkpoint.read_bytes())
        copy.replace(kept)


def _write(properties: pathlib.Path, cluster_id: str, checkpoint: bytes) -> None:
    """Write what Kafka's tool writes; ``meta.properties`` last, as the tool does."""
    data = properties.parent / "data"
    # The tool takes the id from the properties, too.
    lines = properties.read_text().splitlines()
    node_id = dict(line.partition("=")[::2] for line in lines)["node.id"]
    folder_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    meta = {
        "cluster.id": cluster_id,
        "directory.id": folder_id,
        "node.id": node_id,
        "version": "1",
    }
    (data / _CHECKPOINT).write_bytes(checkpoint)
    (data / _META).write_text(config.render(meta))


def _run_tool(
    kafka: java.Kafka,
    properties: Sequence[pathlib.Path],
    cluster_id: str,
    arguments: Sequence[str],
) -> None:
    """Run Kafka's tool for all of *properties* at the same time."""
    running = [
        subprocess.Popen(  # noqa: S603 -- because we wrote it
            kafka.format(each, cluster_id=cluster_id, arguments=arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for each in properties
    ]
    ended = [(each.communicate()[0], each.returncode) for each in running]
    for text, code in ended:
        if code:
            raise process.BrokerError(
                "The broker's data folder cannot be formatted: check the "
                "properties and format_args given, for Kafka says:\n"
                f"{process.excerpt(text)}"
            )
