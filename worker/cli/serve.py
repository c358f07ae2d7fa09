"""Start the services: ``ingress`` and ``work``."""

import click

from worker import settings
from worker.app import ingress, worker
from worker.cli import _common


@click.command("ingress")
@_common.config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of ingress.port.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Instead of ingress.admin_port; 0 is any free one.",
)
def ingress_command(
    config: str | None, port: int | None, admin_port: int | None
) -> None:
    """
    Take callbacks in: authenticate, normalise, publish, answer.

    Needs Kafka and a source for every webhook URL. SIGTERM drains: what was accepted
    is answered first.
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


@click.command("work")
@_common.config_option
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Instead of worker.admin_port; 0 is any free one.",
)
@click.option(
    "--accept-gap",
    is_flag=True,
    help="Go on although events were lost to the topic's retention: take the earliest"
    " there is, log the lost range, look at every open session again.",
)
def work_command(
    config: str | None, admin_port: int | None, *, accept_gap: bool
) -> None:
    """
    Make decisions: fetch results and emit what they mean, exactly once.

    Start as many as you like, up to one a partition: they share the partitions.
    SIGTERM drains and hands over.
    """
    loaded = _common.load(config, settings.Role.WORKER)
    _common.run(
        worker.run(
            loaded,
            console=_common.configure_console_logs(),
            admin_port=loaded.worker.admin_port if admin_port is None else admin_port,
            accept_gap=accept_gap,
        )
    )
