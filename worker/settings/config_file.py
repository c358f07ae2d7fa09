"""Read the configuration file and override it from the environment."""

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
    """The merged configuration of file and environment, not yet checked."""

    table: dict[str, Any] = dataclasses.field(repr=False)
    #: which variable set what, by path
    variables: Mapping[tuple[str, ...], str]
    problems: tuple[str, ...]


def read(path: pathlib.Path | None, environ: Mapping[str, str]) -> Layers:
    """
    Return the merged configuration of the file at *path* and the environment.

    Raises errors.ConfigurationError if the file cannot be read.
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
            problems.append(f"{name} sets a key inside a value that is not a table.")
    return Layers(table=table, variables=variables, problems=tuple(problems))


def _file(path: pathlib.Path) -> dict[str, Any]:
    try:
        # A byte order mark is what editors on Windows put before UTF-8.
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # tomllib names keys, lines and columns, and no values.
        problem = f"The configuration file {path} is not valid TOML: {error}."
    except UnicodeDecodeError:
        problem = f"The configuration file {path} is not UTF-8 text: save it as UTF-8."
    except (OSError, ValueError):
        problem = (
            f"The configuration file {path} cannot be read:"
            " check the path (--config or KYC_CONFIG) and its permissions."
        )
    raise errors.ConfigurationError([problem])


def _put(table: dict[str, Any], path: tuple[str, ...], value: str) -> bool:
    """Set *value* at *path*; return False if a parent is not a table."""
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            return False
    table[path[-1]] = value
    return True
