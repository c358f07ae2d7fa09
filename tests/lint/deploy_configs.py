"""Check the configurations in deploy/: they load, and their surroundings agree."""

import pathlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lint import deploy_pods
from worker import errors, providers, settings

_REFERENCE = re.compile(r'"env:(\w+)"')
_LOOPBACK = "http://127.0.0.1:{}"
_FIRST_PORT = 8090


def references(text: str) -> set[str]:
    """Return the variables whose values the configuration *text* takes as secrets."""
    return set(_REFERENCE.findall(text))


def made_up(names: set[str]) -> dict[str, str]:
    """Return a value for each of *names* that is long enough, no two the same."""
    return {name: f"lint-{name}-".ljust(64, "x") for name in names}


class _Asked(dict[str, str]):
    """An environment that makes up what it is asked for, and remembers the names."""

    def __missing__(self, name: str) -> str:
        self.update(made_up({name}))
        return self[name]


def needed(text: str) -> dict[settings.Role, set[str]]:
    """Return the variables that each process reads with the configuration *text*."""
    asked = {role: _Asked() for role in settings.Role}
    for role, environ in asked.items():
        load(text, environ, role)
    return {role: set(environ) for role, environ in asked.items()}


def load(
    text: str,
    environ: Mapping[str, str],
    role: settings.Role = settings.Role.ALL,
) -> settings.Settings:
    """Return the settings of *text*; raises errors.ConfigurationError."""
    types = {name: entry.settings_type for name, entry in providers.REGISTRY.items()}
    known = frozenset().union(
        *(entry.documentation_secrets for entry in providers.REGISTRY.values())
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "config.toml"
        path.write_text(text)
        return settings.load(
            path, environ, types, role=role, documentation_secrets=known
        )


def problems(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield why the configuration *text* does not load with *environ*."""
    try:
        load(text, environ)
    except errors.ConfigurationError as error:
        yield from error.problems


def environments(
    services: Mapping[str, Any], text: str, secrets: Mapping[str, str]
) -> Iterator[str]:
    """Yield which of *secrets* a service of Compose lacks, or has and does not read."""
    reads = needed(text)
    for name, service in services.items():
        command = service.get("command")
        if command is None:  # no image of ours
            continue
        held = set(secrets) & set(service.get("environment", {}))
        wanted = reads[deploy_pods.role_of(command or [""])]
        for one in sorted(wanted - held):
            yield f"{name} lacks the secret {one}, which it reads"
        for one in sorted(held - wanted):
            yield f"{name} has the secret {one}, which it does not read"


def played(text: str, environ: Mapping[str, str], traffic: str) -> Iterator[str]:
    """Yield where sources do not point at the port on which they are played."""
    try:
        sources = load(text, environ).sources
    except errors.ConfigurationError:
        return  # reported by ``problems``
    for port, (name, source) in enumerate(sources.items(), start=_FIRST_PORT):
        if source.base_url != _LOOPBACK.format(port):
            yield f"sources.{name}.base_url must be {_LOOPBACK.format(port)}"
        if f'("{source.provider}", {port})' not in traffic:
            yield f"traffic.py does not play {source.provider} at port {port}"


def examples(example: str, needed: set[str]) -> Iterator[str]:
    """Yield how the list of secrets *example* differs from those that are *needed*."""
    lines = [line for line in example.splitlines() if line and line[0] != "#"]
    listed = {line.partition("=")[0] for line in lines}
    for name in sorted(needed - listed):
        yield f"lacks {name}, which the configuration names"
    for name in sorted(listed - needed):
        yield f"lists {name}, which the configuration does not name"
    for line in lines:
        if line.partition("=")[2]:
            yield f"holds a value for {line.partition('=')[0]}: it must hold none"


def pins(build: str, locked: str) -> Iterator[str]:
    """Yield what the build's requirements pin otherwise than the lock file does."""
    lines = {line.strip(" \\") for line in locked.splitlines()}
    for line in build.splitlines():
        pin = line.strip(" \\")
        if pin and not pin.startswith("#") and pin not in lines:
            yield f"{pin} is not in requirements-dev.txt: copy it anew from there"
