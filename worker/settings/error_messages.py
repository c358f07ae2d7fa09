"""Write what is wrong with a table as sentences that say what to change."""

import difflib
import typing
from collections.abc import Iterable, Mapping

import pydantic
from pydantic_core import ErrorDetails

from worker.settings import renamed, types

#: The text after the key's name, by pydantic's error type; pydantic's text is not used.
_TEXTS: Mapping[str, str] = {
    "enum": "must be one of {expected}",
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "missing": "is missing: set it",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must be at most {max_length} characters long",
    "string_too_short": "must be at least {min_length} characters long",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "value_error": "{error}",
}
#: The same by the first part of pydantic's error type, which is the expected type.
_TYPES: Mapping[str, str] = {
    "bool": "must be true or false",
    "dict": "must be a table",
    "float": "must be a number",
    "int": "must be a whole number",
    "list": 'must be a list such as ["a", "b"]',
    "model": "must be a table",
    "string": "must be a string",
    "tuple": 'must be a list such as ["a", "b"]',
}
Location = tuple[str | int, ...]


class ProblemCollector:
    """Collect problems; name the environment variable that set a wrong key."""

    def __init__(self, variables: Mapping[tuple[str, ...], str]) -> None:
        self._variables = variables
        self._sentences: dict[str, None] = {}

    @property
    def sentences(self) -> list[str]:
        """Return the sentences in the order of addition, without duplicates."""
        return list(self._sentences)

    def plain(self, sentence: str) -> None:
        """Add a whole *sentence*."""
        self._sentences[sentence] = None

    def add(self, key: Location, text: str) -> None:
        """Add the sentence that *key* and *text* form."""
        name = dotted(key)
        if variable := self._variable(key):
            name += f" ({variable})"
        self.plain(f"{name} {text}.")

    def invalid(
        self,
        prefix: tuple[str, ...],
        section: type[types.Section],
        error: pydantic.ValidationError,
    ) -> set[str]:
        """Add what pydantic found; return the keys of *section* that are wrong."""
        wrong: set[str] = set()
        for detail in error.errors(include_url=False, include_input=False):
            location = detail["loc"]
            wrong.update(str(part) for part in location[:1])
            text = _text(section, location, detail)
            if location:
                self.add((*prefix, *location), text)
            else:
                self.plain(f"{dotted(prefix)}: {text}.")
        return wrong

    def conflicts(
        self,
        prefix: tuple[str, ...],
        conflicts: Iterable[types.FieldConflict],
        wrong: Iterable[str] = (),
    ) -> None:
        """Add *conflicts*, except those of keys that are *wrong* already."""
        excused = set(wrong)
        for conflict in conflicts:
            if excused.isdisjoint(conflict.keys):
                self.add((*prefix, conflict.keys[0]), conflict.text)

    def _variable(self, key: Location) -> str | None:
        """Return the variable that set *key*, or the list that *key* is an entry of."""
        path = tuple(part.partition("[")[0] for part in key if isinstance(part, str))
        return self._variables.get(path)


def dotted(key: Location) -> str:
    """Return *key* in the notation of the file: ``sources.x.ip_allow[0]``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def unknown(key: str, known: Iterable[str]) -> str:
    """Return the text for a *key* that is not in *known*."""
    match difflib.get_close_matches(key, known, n=1):
        case [near]:
            return f"is not a setting: use {near}, or remove it"
        case _:
            return "is not a setting: remove it or correct its name"


def _nested(section: type[types.Section], key: str) -> type[types.Section] | None:
    """Return the section type of *key* in *section*, if it is a table."""
    field = section.model_fields.get(key)
    candidates = (field.annotation, *typing.get_args(field.annotation)) if field else ()
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, types.Section):
            return candidate
    return None


def _text(
    section: type[types.Section], location: Location, detail: ErrorDetails
) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        owner = section
        for part in location[:-1]:
            owner = _nested(owner, str(part)) or owner
        path = ".".join(map(str, location))
        if (new := renamed.find(path, owner.model_fields)) is not None:
            return f"was renamed: use {new}"
        return unknown(str(location[-1]), owner.model_fields)
    of_type = _TYPES.get(kind.partition("_")[0], "must be another value")
    return _TEXTS.get(kind, of_type).format(**detail.get("ctx", {}))
