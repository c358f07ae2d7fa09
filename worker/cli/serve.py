"""Run the services: ``ingress`` and ``worker``."""

import click

from worker import settings
from worker.app import ingress, worker
from worker.cli import _common


@click.command("ingress")
@_common.config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Override ingress.port.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Override ingress.admin_port; 0 selects a free port.",
)
def ingress_command(
    config: str | None, port: int | None, admin_port: int | None
) -> None:
    """
    Run the ingress: authenticate callbacks and publish them to Kafka.

    SIGTERM drains the process: it completes the requests that it has accepted.
    """
    loaded = _common.load(config, settings.Role.INGRESS)
    _common.run(
        ingress.run(
            loaded,
            console=_common.configure_console_logs(),
            port=loaded.ingress.port if port is None else port,
            admin_port=(
                loaded.ingress.admin_port if admin_port is None else admin_port
            ),
        )
    )


@click.command("worker")
@_common.config_option
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Override worker.admin_port; 0 selects a free port.",
)
@click.option(
    "--skip-lost-events",
    is_flag=True,
    help="Continue after events that the topic's retention has deleted: start at the"
    " earliest event, log the lost range, and fetch every open session again.",
)
def worker_command(
    config: str | None, admin_port: int | None, *, skip_lost_events: bool
) -> None:
    """
    Run a worker: fetch results and emit decisions, exactly once.

    Workers share the partitions; more workers than partitions are idle. SIGTERM drains
    the process and hands its partitions over.
    """
    loaded = _common.load(config, settings.Role.WORKER)
    _common.run(
        worker.run(
            loaded,
            console=_common.configure_console_logs(),
            admin_port=loaded.worker.admin_port if admin_port is None else admin_port,
            skip_lost_events=skip_lost_events,
        )
    )
