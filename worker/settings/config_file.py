"""Read the configuration file and lay the environment over it."""

import dataclasses
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from worker import errors

PREFIX = "KYC_"
CONFIG = "KYC_CONFIG"
_LEVELS = "__"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """What file and environment say together, not yet checked."""

    table: dict[str, Any] = dataclasses.field(repr=False)
    #: which variable set what, by path
    variables: Mapping[tuple[str, ...], str]
    problems: tuple[str, ...]


def read(path: pathlib.Path | None, environ: Mapping[str, str]) -> Layers:
    """
    Return what the file at *path* and the environment say.

    Raises errors.ConfigurationError where the file cannot be read at all.
    """
    table = _file(path) if path is not None else {}
    variables: dict[tuple[str, ...], str] = {}
    problems = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == CONFIG:
            continue
        parts = tuple(name.removeprefix(PREFIX).lower().split(_LEVELS))
        if len(parts) == 1 or "" in parts:
            problems.append(
                f"{name} is not a setting: variables are named KYC_SECTION__KEY;"
                " remove it or correct its name."
            )
        elif _put(table, parts, environ[name]):
            variables[parts] = name
        else:
            problems.append(f"{name} names a key inside something that is no table.")
    return Layers(table=table, variables=variables, problems=tuple(problems))


def _file(path: pathlib.Path) -> dict[str, Any]:
    try:
        # A byte order mark is what editors on Windows put before UTF-8.
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # tomllib names keys, lines and columns, and no values.
        problem = f"The configuration file {path} is not TOML: {error}."
    except UnicodeDecodeError:
        problem = f"The configuration file {path} is not UTF-8 text: save it as UTF-8."
    except (OSError, ValueError):
        problem = (
            f"The configuration file {path} cannot be read:"
            " check the path (--config or KYC_CONFIG) and its rights."
        )
    raise errors.ConfigurationError([problem])


def _put(table: dict[str, Any], path: tuple[str, ...], value: str) -> bool:
    """Set *value* at *path*; return whether there was a table to set it in."""
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return False
    table[path[-1]] = value
    return True
