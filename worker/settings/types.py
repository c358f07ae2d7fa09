"""Hold the types of configuration values: secrets, durations, sections."""

import dataclasses
import ipaddress
import pathlib
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated

import pydantic
from pydantic_core import core_schema

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?", re.ASCII)
_LONGEST_MS = 100 * 365 * 86_400_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BAD_DURATION = 'must be a duration such as "500ms", "5s", "15m", "6h" or "7d"'


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """
    Return the secret that *text* names (``env:NAME``, ``file:/path``) or is.

    One trailing newline of a file is dropped. Raises ValueError, whose text says
    what to change and never holds the secret.
    """
    match text.partition(":"):
        case ("env", ":", name):
            secret = _of_environment(name, environ)
        case ("file", ":", path):
            secret = _of_file(path)
        case _:
            secret = text
    if not secret:
        raise ValueError("is empty: give it a value")
    return secret


def _of_environment(name: str, environ: Mapping[str, str]) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("must have the name of an environment variable after env:")
    try:
        return environ[name]
    except KeyError:
        raise ValueError(
            f"names the environment variable {name}, which is not set:"
            " set it or correct the name"
        ) from None


def _of_file(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("must have an absolute path after file:")
    try:
        text = pathlib.Path(path).read_bytes().decode()
    except UnicodeDecodeError:
        raise ValueError(f"names the file {path}, which is not UTF-8 text") from None
    except (OSError, ValueError):
        raise ValueError(
            f"names the file {path}, which cannot be read:"
            " create it or correct the path and its rights"
        ) from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


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
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Accept a text or a Secret; the loader's context resolves references."""
        return core_schema.with_info_plain_validator_function(cls._validate)

    @classmethod
    def _validate(cls, value: object, info: pydantic.ValidationInfo) -> "Secret":
        """Return *value* as a secret; only under the loader are references read."""
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValueError("must be a text, env:NAME or file:/path")  # noqa: TRY004 -- pydantic reports ValueError
        environ = (info.context or {}).get("environ")
        return cls(value if environ is None else resolve(value, environ))


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


#: A duration, held in milliseconds; zero is allowed.
DurationMs = Annotated[int, pydantic.BeforeValidator(_milliseconds)]
#: A duration of at least a millisecond, held in milliseconds.
PositiveMs = Annotated[int, pydantic.BeforeValidator(_some_milliseconds)]


def _network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    try:
        if isinstance(value, str):
            return ipaddress.ip_network(value)
    except ValueError:
        pass
    raise ValueError("must be a network such as 192.0.2.0/24 or 2001:db8::/32")


#: A network in CIDR notation; a single address is a network of one.
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network, pydantic.PlainValidator(_network)
]
Port = Annotated[int, pydantic.Field(ge=0, le=65_535)]


@dataclasses.dataclass(frozen=True, slots=True)
class Conflict:
    """Settings that are valid one by one and cannot be used together."""

    keys: tuple[str, ...]  #: the first is the one to name
    text: str  #: what goes on after its name: what to change, and no secret


class Section(pydantic.BaseModel):
    """A table of the configuration: frozen, unknown keys are errors."""

    # Defaults are not validated: they are the final values, in milliseconds.
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True
    )

    def conflicts(self) -> Iterable[Conflict]:
        """Return what contradicts itself in this table; the loader asks."""
        return ()

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _list_of_text(cls, value: object, info: pydantic.ValidationInfo) -> object:
        """Read a list that came as text, as the environment's values do."""
        if not isinstance(value, str) or info.field_name is None:
            return value
        annotation = cls.model_fields[info.field_name].annotation
        if typing.get_origin(annotation) is not tuple:
            return value
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            raise ValueError('must be a list such as ["a", "b"]') from None
