"""Hold the types of configuration values: secrets, durations, problems."""

import re
from typing import Annotated, Any

import pydantic

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


class Secret:
    """
    A secret text: prints ``***``, compares by identity, and is read by ``reveal``.

    Keys are the UTF-8 bytes of the text, less one trailing newline of a file.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; name this call in every review."""
        return self._text

    def key(self) -> bytes:
        """Return the key bytes: the text as UTF-8."""
        return self._text.encode()

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Accept a text (already resolved by the loader) or a Secret."""
        from pydantic_core import core_schema  # noqa: PLC0415 -- pydantic's own hook

        return core_schema.no_info_plain_validator_function(cls._validate)

    @classmethod
    def _validate(cls, value: object) -> "Secret":
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        raise ValueError("must be a text, env:NAME or file:/path")


def _milliseconds(value: object) -> int:
    """Return *value* ("5s", "15m", "400d", or a whole number of seconds) as ms."""
    if isinstance(value, bool):
        raise ValueError('must be a duration such as "5s" or "15m"')  # noqa: TRY004 -- pydantic reports ValueError
    if isinstance(value, int | float):
        value = f"{value}s"
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a duration such as "500ms", "5s", "15m", "6h", "7d"')
    return int(float(match[1]) * _UNITS_MS[match[2]])


#: A duration, held in milliseconds.
DurationMs = Annotated[int, pydantic.BeforeValidator(_milliseconds)]


class Section(pydantic.BaseModel):
    """A table of the configuration: frozen, unknown keys are errors."""

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )
