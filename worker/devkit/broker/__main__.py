"""Run Kafka in the background: ``python -m worker.devkit.broker start|stop``."""

import hashlib
import pathlib
import shutil
import tempfile

import click

from worker.devkit.broker import cluster, download, jars, process

_ROOTS = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
_PORT = 9092
_ADDRESS_FILE = "bootstrap.servers"
_STOP_TIMEOUT_S = 10.0

_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    default=pathlib.Path("build/kafka"),
    show_default=True,
    help="Where the brokers keep their data, logs and pid files.",
)


@click.group()
def main() -> None:
    """Run Apache Kafka by itself, for development."""


@main.command()
@click.option("--nodes", type=click.IntRange(1, 9), default=1, show_default=True)
@_folder
def start(nodes: int, folder: pathlib.Path) -> None:
    """Start brokers in the background and print their addresses."""
    address_file = folder / _ADDRESS_FILE
    running = _running(folder)
    if len(running) == nodes:
        click.echo(address_file.read_text().strip())
        return
    if running:
        raise click.ClickException(
            f"{len(running)} brokers run in {folder}, not {nodes}: stop them first."
        )
    kafka = cluster.Cluster(
        nodes=nodes, data_dir=folder, preferred_port=_PORT, detached=True
    )
    try:
        kafka.start_sync()
    except process.BrokerError as error:
        raise click.ClickException(str(error)) from error
    address_file.write_text(f"{kafka.bootstrap_servers}\n")
    click.echo(kafka.bootstrap_servers)


@main.command()
@click.option("--delete", is_flag=True, help="Delete their data, too.")
@_folder
def stop(*, delete: bool, folder: pathlib.Path) -> None:
    """Stop the brokers that were started in the background; their data stay."""
    process.terminate(_running(folder), timeout_s=_STOP_TIMEOUT_S)
    for pid_path in folder.glob("node-*/broker.pid"):
        pid_path.unlink(missing_ok=True)
    (folder / _ADDRESS_FILE).unlink(missing_ok=True)
    if delete:
        for node in folder.glob("node-*"):
            shutil.rmtree(node)


@main.command()
def lock() -> None:
    """Resolve Kafka's jars anew and pin what Maven Central has."""
    with tempfile.TemporaryDirectory() as scratch:
        files = download.resolve(_ROOTS, pathlib.Path(scratch))
        rows = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()} "
            f"{path.stat().st_size} {coordinate}\n"
            for coordinate, path in sorted(files.items())
        ]
    before = jars.LOCK.read_text().splitlines()
    head = [f"{line}\n" for line in before if line.startswith("#")]
    jars.LOCK.write_text("".join([*head, *rows]))


def _running(folder: pathlib.Path) -> list[process.Detached]:
    found = [
        process.Detached.find(
            pid_path,
            argument=str((pid_path.parent / "server.properties").absolute()),
        )
        for pid_path in sorted(folder.glob("node-*/broker.pid"))
    ]
    return [each for each in found if each]


if __name__ == "__main__":
    main(prog_name="python -m worker.devkit.broker")
