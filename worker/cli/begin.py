"""Begin sessions: ``api`` serves it, ``begin`` does it once."""

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
#: Idempotency keys of the command line are its own: it has no api key.
_CALLER = "command line"


@click.command("api")
@_common.config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of api.port.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Instead of api.admin_port; 0 is any free one.",
)
def api_command(config: str | None, port: int | None, admin_port: int | None) -> None:
    """
    Let your own services begin and register sessions, over HTTP.

    Needs a key (`kyc-worker api-key`) and a ticket secret. Start as many as you like.
    SIGTERM drains: what was begun is answered first.
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
    help="On the provider's page, or inside one of yours.",
)
@click.option("--return-url", help="Your page to come back to, for redirect.")
@click.option("--language", help="A language tag such as de.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="For the provider: VALUE is text or JSON, as the field takes it; dots in NAME"
    " make objects.",
)
@click.option(
    "--params",
    "file",
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    help="A file with one JSON object of such parameters.",
)
@click.option("--idempotency-key", help="Begin it once, however often this is run.")
def begin(
    source: str,
    config: str | None,
    params: tuple[str, ...],
    file: pathlib.Path | None,
    idempotency_key: str | None,
    **asked: str | None,
) -> None:
    """
    Begin a session of SOURCE at its provider, and print where to send the person.

    What is printed holds a credential: who has it can go through the session. It is
    printed once, and stored nowhere.
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
            raise click.ClickException("nothing was begun") from None
        except errors.FetchError as failure:
            raise click.ClickException(f"nothing was begun: {failure}") from None
        except beginnings.OutcomeUnknown as doubt:
            raise click.ClickException(
                f"the provider may have begun it, nobody knows ({doubt.reason}):"
                f" `kyc-worker session --begun {name}` tells if it is found out"
            ) from None
        except beginnings.DuplicateBegin as repeated:
            what = repeated.session_id or repeated.state
            raise click.ClickException(
                f"this was begun before, and its answer is not given twice: {what}"
            ) from None
    _tell(beginnings.document_of(name, started))


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


def _tell(told: dict[str, Any]) -> None:
    """Print the answer: rows for a person, a JSON line on a pipe."""
    if not _common.is_terminal():
        _common.json_line(told)
        return
    for name, value in told.items():
        if isinstance(value, dict | list):
            value = orjson.dumps(value).decode()  # noqa: PLW2901 -- as it is shown
        click.echo(f"{name:12} {value}")
