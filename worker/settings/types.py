"""Define the types of settings: durations, rates, networks, sections, secrets."""

import dataclasses
import ipaddress
import re
import tomllib
import types as builtin_types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated

import pydantic

from worker.settings import secret

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?", re.ASCII)
_LONGEST_MS = 100 * 365 * 86_400_000
_BAD_DURATION = 'must be a duration such as "500ms", "5s", "15m", "6h" or "7d"'

Secret = secret.Secret
resolve = secret.resolve


def _milliseconds(value: object) -> int:
    """Return *value* ("5s", "15m", "400d", or a number of seconds) as milliseconds."""
    if isinstance(value, int | float):
        value = str(value)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_BAD_DURATION)
    milliseconds = round(float(match[1]) * _UNITS_MS[match[2] or "s"])
    if milliseconds > _LONGEST_MS:
        raise ValueError("must be at most 36500d")
    return milliseconds


def _some_milliseconds(value: object) -> int:
    if (milliseconds := _milliseconds(value)) == 0:
        raise ValueError("must be more than 0")
    return milliseconds


#: A duration in milliseconds; zero is allowed.
DurationMs = Annotated[int, pydantic.BeforeValidator(_milliseconds)]
#: A duration in milliseconds, at least one.
PositiveMs = Annotated[int, pydantic.BeforeValidator(_some_milliseconds)]

_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*/\s*([smh])", re.ASCII)


def _per_second(value: object) -> float:
    """Return *value* ("10/s", "300/m", "5000/h") as a number per second."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('must be a rate such as "10/s", "300/m" or "5000/h"')
    rate = float(match[1]) * 1000 / _UNITS_MS[match[2]]
    if rate == 0:
        raise ValueError("must be more than 0/s")
    return rate


#: A rate above zero, per second.
RatePerSecond = Annotated[float, pydantic.BeforeValidator(_per_second)]


AnyNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(value: object) -> AnyNetwork:
    if isinstance(value, AnyNetwork):
        return value
    try:
        if isinstance(value, str):
            return ipaddress.ip_network(value)
    except ValueError:
        pass
    raise ValueError("must be a network such as 192.0.2.0/24 or 2001:db8::/32")


#: A network in CIDR notation; a single address is a network of one.
Network = Annotated[
    AnyNetwork, pydantic.PlainValidator(_network, json_schema_input_type=str)
]


def everybody(networks: Iterable[AnyNetwork]) -> bool:
    """Return whether *networks* together cover every address of a family."""
    known = tuple(networks)
    four = [each for each in known if isinstance(each, ipaddress.IPv4Network)]
    six = [each for each in known if isinstance(each, ipaddress.IPv6Network)]
    return any(
        each.prefixlen == 0 for each in ipaddress.collapse_addresses(four)
    ) or any(each.prefixlen == 0 for each in ipaddress.collapse_addresses(six))


Port = Annotated[int, pydantic.Field(ge=0, le=65_535)]


@dataclasses.dataclass(frozen=True, slots=True)
class FieldConflict:
    """Settings that are valid one by one and cannot be used together."""

    keys: tuple[str, ...]  #: the first one is named in the error
    text: str  #: the text after its name: what to change, without secrets


class Section(pydantic.BaseModel):
    """A table of the configuration: frozen, unknown keys are errors."""

    # Defaults are not validated: they are the final values, in milliseconds.
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True
    )

    def conflicts(self) -> Iterable[FieldConflict]:
        """Return the settings of this table that contradict each other."""
        return ()

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _of_text(cls, value: object, info: pydantic.ValidationInfo) -> object:
        """Parse a value that is text, as all values of the environment are."""
        if not isinstance(value, str) or info.field_name is None:
            return value
        return _from_text(value, cls.model_fields[info.field_name].annotation)


def _from_text(text: str, annotation: object) -> object:
    """
    Return the value of *text* for the type *annotation*.

    Lists and tables are parsed as in the file, and literals by their spelling. pydantic
    parses all other types.
    """
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _from_text(text, parts[0])
    if origin is typing.Literal:
        return {str(word): word for word in parts}.get(text, text)
    if origin in {typing.Union, builtin_types.UnionType}:
        # A text that is no list and no table may still be another alternative.
        compound = text.lstrip().startswith(("[", "{"))
        read = (
            _from_text(text, part)
            for part in parts
            if compound or not _is_compound(part)
        )
        return next((value for value in read if value is not text), text)
    return _parsed(text, annotation) if _is_compound(annotation) else text


def _is_compound(annotation: object) -> bool:
    """Return whether *annotation* is a list or a table."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _is_compound(typing.get_args(annotation)[0])
    if isinstance(origin, type):
        return issubclass(origin, tuple | Mapping)
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _parsed(text: str, annotation: object) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        is_list = typing.get_origin(annotation) is tuple
        example = '["a", "b"]' if is_list else '{ a = "b" }'
        what = "list" if is_list else "table"
        raise ValueError(f"must be a {what} such as {example}") from None
