"""Read a provider's parameters from options, each with the type of its field."""

import contextlib
import copy
import pathlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import click
import orjson

from worker.cli import _streams

_Path = tuple[str, ...]
#: Returns the dotted names of the fields that the provider would refuse.
Refused = Callable[[Mapping[str, Any]], Collection[str]]


class Parameters:
    """
    What ``--params`` and ``--param`` say, as one object.

    VALUE of ``--param`` is JSON where it is JSON, unless its field takes a text only:
    the zip code 10409 is one, as 01067 is.
    """

    def __init__(self, options: Iterable[str], file: pathlib.Path | None) -> None:
        self._document: dict[str, Any] = {} if file is None else _of_file(file)
        self._texts: dict[_Path, str] = {}
        for option in options:
            name, sign, text = option.partition("=")
            path = tuple(name.split("."))
            if not sign or not all(path):
                raise click.UsageError("--param must be NAME=VALUE")
            _put(self._document, path, _value(text))
            self._texts[path] = text

    def fitted(self, refused: Refused) -> dict[str, Any]:
        """Return the object, with a text for each value that must be one."""
        fitted = copy.deepcopy(self._document)
        wrong = [path for path in self._texts if ".".join(path) in refused(fitted)]
        for path in wrong:
            _put(fitted, path, self._texts[path])
        still = refused(fitted)
        for path in wrong:
            if ".".join(path) in still:
                _put(fitted, path, _value(self._texts[path]))
        return fitted


def _of_file(file: pathlib.Path) -> dict[str, Any]:
    made: Any = None
    content = _streams.file_bytes(file)
    with contextlib.suppress(orjson.JSONDecodeError):
        made = orjson.loads(content)
    if not isinstance(made, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    return made


def _put(made: dict[str, Any], path: _Path, value: object) -> None:
    for part in path[:-1]:
        made = made.setdefault(part, {})
        if not isinstance(made, dict):
            raise click.UsageError(f"--param: {part} is a value and an object at once")
    made[path[-1]] = value


def _value(text: str) -> object:
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value
