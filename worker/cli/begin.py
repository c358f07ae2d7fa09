"""Start sessions: ``api`` runs the service, ``begin`` starts one session."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import click
import orjson
import structlog

from worker import api as beginnings
from worker import clock as clocks
from worker import errors, model, settings
from worker.api import telemetry
from worker.app import api, sources
from worker.cli import _common, _parameters
from worker.kafka import connectivity
from worker.telemetry import log_throttle, logs, metrics

_PARAMS = "provider_params."
#: The caller of the idempotency keys of the command line, which has no API key.
_CALLER = "command line"


@click.command("api")
@_common.config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Override api.port.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Override api.admin_port; 0 selects a free port.",
)
def api_command(config: str | None, port: int | None, admin_port: int | None) -> None:
    """
    Run the API: your own services start and register sessions over HTTP.

    It needs an API key (`kyc-worker api-key`) and a ticket secret. SIGTERM drains the
    process: it completes the requests that it has accepted.
    """
    loaded = _common.load(config, settings.Role.API)
    _common.run(
        api.run(
            loaded,
            console=_common.configure_console_logs(),
            port=loaded.api.port if port is None else port,
            admin_port=loaded.api.admin_port if admin_port is None else admin_port,
        )
    )


@click.command()
@click.argument("source")
@_common.config_option
@click.option("--reference", required=True, help="Your own id of the customer.")
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in model.BeginMode]),
    default=str(model.BeginMode.REDIRECT),
    show_default=True,
    help="Redirect to the provider's page, or embed it in your page.",
)
@click.option("--return-url", help="URL of your page to return to, for redirect.")
@click.option("--language", help="Language tag, such as de.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Parameter for the provider. VALUE is text or JSON, depending on the field;"
    " dots in NAME create objects. Repeatable.",
)
@click.option(
    "--params",
    "file",
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    help="File with a JSON object of parameters for the provider.",
)
@click.option("--idempotency-key", help="Key: repeated calls start only one session.")
def begin(
    source: str,
    config: str | None,
    params: tuple[str, ...],
    file: pathlib.Path | None,
    idempotency_key: str | None,
    **asked: str | None,
) -> None:
    """
    Start a session of SOURCE at its provider, and print the URL for the end user.

    The output contains a credential: its owner can perform the session. It is printed
    once and not stored.
    """
    document: dict[str, Any] = {
        name: value for name, value in asked.items() if value is not None
    }
    given = _parameters.Parameters(params, file)
    loaded = _common.load(config, settings.Role.API)
    _common.run(_begin(loaded, source, document, given, idempotency_key))


async def _begin(
    config: settings.Settings,
    name: str,
    document: dict[str, Any],
    given: _parameters.Parameters,
    idempotency_key: str | None,
) -> None:
    logs.configure(console=_common.configure_console_logs())
    clock = clocks.SystemClock()
    counters, lines = metrics.Metrics(config.sources), log_throttle.LogThrottle(clock)
    observer = telemetry.ApiTelemetry(counters, lines)
    async with api.run_background(config, clock, observer) as beginning:
        of = sources.find(beginning.sources, name)
        await connectivity.wait_for_kafka(config.kafka, clock, structlog.get_logger())
        await beginning.log.caught_up()
        try:
            wanted = beginnings.parse_begin(document, of)
            params = given.fitted(lambda params: _refused(of, wanted, params))
            wanted = dataclasses.replace(wanted, provider_params=params)
            started = await beginning.service.begin(
                of, wanted, idempotency_key, caller=_CALLER
            )
        except errors.InvalidBeginRequest as refused:
            for field, sentence in refused.problems.items():
                click.echo(f"{field}: {sentence}", err=True)
            raise click.ClickException("no session was started") from None
        except errors.FetchError as failure:
            raise click.ClickException(f"no session was started: {failure}") from None
        except beginnings.OutcomeUnknown as doubt:
            raise click.ClickException(
                "it is unknown whether the provider has started the session"
                f" ({doubt.reason}): run `kyc-worker begins {name}` later"
            ) from None
        except beginnings.DuplicateBegin as repeated:
            what = repeated.session_id or repeated.state
            raise click.ClickException(
                "this session was started before, and its response is returned only"
                f" once: {what}"
            ) from None
    _print(beginnings.document_of(name, started))


def _refused(
    of: beginnings.ApiSource, wanted: beginnings.Begin, params: Mapping[str, Any]
) -> frozenset[str]:
    """Return the names of those of *params* that the provider would refuse."""
    request = model.BeginRequest(
        source=of.name,
        begin_id="",
        reference=wanted.reference,
        mode=wanted.mode,
        return_address=wanted.return_url,
        language=wanted.language,
        provider_params=params,
    )
    try:
        of.beginner.check(request)
    except errors.InvalidBeginRequest as refused:
        return frozenset(
            field.removeprefix(_PARAMS)
            for field in refused.problems
            if field.startswith(_PARAMS)
        )
    return frozenset()


def _print(document: dict[str, Any]) -> None:
    """Print *document*: rows on a terminal, a JSON line on a pipe."""
    if not _common.is_terminal():
        _common.json_line(document)
        return
    for name, value in document.items():
        if isinstance(value, dict | list):
            value = orjson.dumps(value).decode()  # noqa: PLW2901 -- as it is shown
        click.echo(f"{name:12} {value}")
