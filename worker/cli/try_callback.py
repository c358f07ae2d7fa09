"""Show what a callback would become, without Kafka: ``try``."""

import asyncio
import dataclasses
import pathlib
import urllib.parse
from typing import NoReturn

import click

from worker import clock as clocks
from worker import errors, http_server, ingress, model, settings, signing
from worker.app import callback_trial, sources
from worker.app import ingress as app
from worker.cli import _common
from worker.settings import secret

_FILE = click.Path(dir_okay=False, allow_dash=True, path_type=pathlib.Path)


@click.command("try")
@click.argument("source")
@_common.config_option
@click.option("--body", type=_FILE, help="File with the raw body; - reads stdin.")
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Repeatable."
)
@click.option("--path", help="Path of the request, for the token of a signed URL.")
@click.option("--query", help="Query string, for a callback by GET.")
@click.option(
    "--from", "remote", metavar="ADDRESS", help="Client address, for ip_allow."
)
@click.option("--result", type=_FILE, help="File with the provider's result (JSON).")
@click.option("--at", metavar="TIME", help="Time of receipt (RFC 3339) instead of now.")
@click.option(
    "--secret",
    metavar="env:NAME",
    help="Secret of the signature, of any length, instead of the source's.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Lines for people, or one JSON object.",
)
def try_command(  # noqa: PLR0917 -- click names them
    source: str,
    config: str | None,
    body: pathlib.Path | None,
    headers: tuple[str, ...],
    path: str | None,
    query: str | None,
    remote: str | None,
    result: pathlib.Path | None,
    at: str | None,
    *,
    secret: str | None,
    output: str,
) -> None:
    """
    Show what a callback of SOURCE would become: exit 0 if it is accepted, else 1.

    It is authenticated and read as the ingress does it; with --result the decision is
    mapped as a worker does it. Kafka is not needed, and no result is fetched. Only a
    source whose provider publishes its keys (Plaid) makes a call, for the key.
    """
    loaded = _common.load(config, settings.Role.INGRESS)
    received_at = _time(at)
    found = sources.find(sources.build_sources(loaded, clocks.SystemClock()), source)
    of = app.ingress_source(found)
    if secret is not None:
        of = _with_secret(of, secret)
    raw = b"" if body is None else _read(body)
    callback = model.Callback(
        source=source,
        method="GET" if body is None else "POST",
        headers=_headers(of, headers),
        body=raw,
        token=_token(path),
        query=dict(urllib.parse.parse_qsl(query or "", keep_blank_values=True)),
        remote=remote,
        received_at=received_at,
    )
    try:
        rows = asyncio.run(
            callback_trial.rows(
                found,
                of,
                callback,
                trusted_proxies=loaded.ingress.trusted_proxies,
                result=None if result is None else _read(result),
            )
        )
    except errors.MalformedBody:
        raise click.ClickException("--result must contain one JSON object") from None
    _show(rows, output)
    if rows[0][1] != "accepted":
        raise click.exceptions.Exit(1)


def _show(rows: list[callback_trial.Row], output: str) -> None:
    """Write *rows* to stdout."""
    if output == "json":
        _common.json_line({name.replace(" ", "_"): value for name, value in rows})
        return
    for name, value in rows:
        text = str(value).lower() if isinstance(value, bool) else value
        click.echo(f"{name:<17} {text}")


def _with_secret(of: ingress.IngressSource, named: str) -> ingress.IngressSource:
    """Return *of* with one secret for its signature, of any length."""
    try:
        text = secret.resolve(named, settings.process_environment())
        standard = signing.decode_standard_key(text) if of.standard_keys else b""
    except ValueError as problem:
        raise click.ClickException(f"--secret {problem}") from None
    return dataclasses.replace(
        of,
        hmac_keys=(text.encode(),) if of.hmac_keys else (),
        standard_keys=(standard,) if standard else (),
    )


def _headers(
    of: ingress.IngressSource, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Return the headers that the authenticators of *of* look at."""
    found = []
    for header in given:
        name, colon, value = header.partition(":")
        if not colon:
            _usage("--header must be 'NAME: VALUE'")
        if name.strip().lower() in of.headers:
            found.append((name.strip().lower(), value.strip()))
    return tuple(found)


def _token(path: str | None) -> str | None:
    """Return the token in the path ``/webhooks/SOURCE/TOKEN``, if it is there."""
    parts = http_server.segments(path or "")
    return parts[2] if len(parts) > 2 else None  # noqa: PLR2004 -- prefix and source


def _time(text: str | None) -> int:
    """Return *text* in milliseconds, now without it."""
    if text is None:
        return clocks.SystemClock().now_ms()
    try:
        return clocks.parse_rfc3339(text)
    except ValueError:
        _usage("--at must be a time such as 2026-01-02T03:04:05Z")


def _read(path: pathlib.Path) -> bytes:
    """Return the bytes of a file, or of stdin for ``-``."""
    with click.open_file(str(path), "rb") as file:
        data: bytes = file.read()
    return data


def _usage(sentence: str) -> NoReturn:
    raise click.UsageError(sentence)
