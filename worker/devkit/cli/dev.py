"""Start everything with one command: ``dev``."""

import pathlib
import sys

import click

from worker.devkit import dev as everything


@click.command()
@click.option("--once", is_flag=True, help="Play every scenario, compare, and end.")
@click.option("--port", type=click.IntRange(0, 65535), help="The ingress's port.")
@click.option("--admin-port", type=click.IntRange(0, 65535), help="Its admin port.")
@click.option("--api-port", type=click.IntRange(0, 65535), help="The api's port.")
@click.option("--no-traffic", is_flag=True, help="Send no sample callbacks.")
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help="Worker processes; kill one and observer.",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Keep Kafka's data here; else they end with the command.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    help="Take the sources of this file instead of the sample ones.",
)
def dev(
    *,
    once: bool,
    port: int | None,
    admin_port: int | None,
    api_port: int | None,
    no_traffic: bool,
    workers: int,
    data_dir: pathlib.Path | None,
    config: pathlib.Path | None,
) -> None:
    """
    Start everything: Kafka, simulated providers, ingress, api, worker, sample traffic.

    Needs no account and no Docker: Kafka is Apache Kafka itself, fetched once.
    """
    options = everything.Options(
        once=once,
        port=port,
        admin_port=admin_port,
        api_port=api_port,
        traffic=not no_traffic,
        workers=workers,
        data_dir=data_dir,
        config=config,
    )
    sys.exit(everything.run(options))
