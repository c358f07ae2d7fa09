"""Hold secrets: where they are read from, by which process, and in what form."""

import dataclasses
import enum
import pathlib
import re
import typing
from collections.abc import Iterator, Mapping

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BYTE_ORDER_MARK = "\ufeff"
#: How the secrets of deploy/compose.yaml begin, which everybody knows.
DEMONSTRATION = "demo-only-"


class Role(enum.StrEnum):
    """What a process does with the configuration: it reads the secrets of that."""

    ALL = "all"  #: checks the configuration, or plays the providers
    INGRESS = "ingress"
    WORKER = "worker"
    API = "api"  #: also the command that begins one session
    URL = "url"  #: prints webhook URLs
    OPERATOR = "operator"  #: the commands that speak with Kafka alone


def resolve(text: str, environ: Mapping[str, str], *, multiline: bool = False) -> str:
    """
    Return the secret that *text* names (``env:NAME``, ``file:/path``) or is.

    One trailing newline of a file is dropped. Any other line break, unless
    *multiline*, and whatever else cannot be seen, comes of an editor or of ``echo``,
    and no caller would ever send it. Raises ValueError, whose text says what to change
    and never holds the secret.
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
    if secret.startswith(_BYTE_ORDER_MARK):
        raise ValueError("begins with a byte order mark: save it without one")
    if multiline:
        return secret
    if not secret.isprintable():
        raise ValueError(
            "contains a line break or another invisible character: remove it"
            " (echo adds a line break, printf does not)"
        )
    if secret != secret.strip():
        raise ValueError("begins or ends with a space: remove it")
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
            " create it or correct the path and its permissions"
        ) from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


class Secret:
    """
    A secret text: prints ``***``, compares by identity, and is read by ``reveal``.

    Keys are the UTF-8 bytes of the text, less one trailing newline of a file. One that
    this process does not read is *withheld*: known to be configured, and no more.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | None) -> None:
        self._text = text

    @property
    def withheld(self) -> bool:
        """Return whether this process does not read it."""
        return self._text is None

    def reveal(self) -> str:
        """Return the text; name this call in every review."""
        if self._text is None:
            raise RuntimeError("this process does not read this secret: see ReadBy")
        return self._text

    def key(self) -> bytes:
        """Return the key bytes: the text as UTF-8."""
        return self.reveal().encode()

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Accept a text or a Secret; the loader's context resolves references."""
        return core_schema.with_info_plain_validator_function(
            _EVERYBODY.read, json_schema_input_schema=core_schema.str_schema()
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ReadBy:
    """Says of a secret which processes read it; in all others it is withheld."""

    roles: frozenset[Role]
    multiline: bool = False

    def allows(self, role: Role) -> bool:
        """Return whether a process of *role* reads the secret."""
        return role is Role.ALL or role in self.roles

    def read(self, value: object, info: pydantic.ValidationInfo) -> Secret:
        """Return *value* as a secret; only under the loader are references read."""
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise ValueError("must be a string, env:NAME or file:/path")  # noqa: TRY004 -- pydantic reports ValueError
        context = info.context or {}
        if not self.allows(context.get("role", Role.ALL)):
            return Secret(None)
        environ = context.get("environ")
        if environ is None:
            return Secret(value)
        return Secret(resolve(value, environ, multiline=self.multiline))

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read the secret for these roles."""
        return core_schema.with_info_plain_validator_function(
            self.read, json_schema_input_schema=core_schema.str_schema()
        )


_EVERYBODY = ReadBy(frozenset(Role))


def _read_by(*roles: Role) -> ReadBy:
    return ReadBy(frozenset(roles))


#: Of Kafka: of every process that connects to it.
KafkaSecret = typing.Annotated[
    Secret, _read_by(Role.INGRESS, Role.WORKER, Role.API, Role.OPERATOR)
]
#: What authenticates callers at the ingress; no other process reads it.
CallerSecret = typing.Annotated[Secret, _read_by(Role.INGRESS)]
#: What makes the secret part of a webhook URL: the api gives such URLs to providers.
UrlSecret = typing.Annotated[Secret, _read_by(Role.INGRESS, Role.API, Role.URL)]
#: What callers prove themselves with, and the api gives to the provider with a session.
SharedSecret = typing.Annotated[Secret, _read_by(Role.INGRESS, Role.API)]
#: Our credentials at a provider: to fetch results, and to begin sessions.
AccountSecret = typing.Annotated[Secret, _read_by(Role.WORKER, Role.API)]
#: The same, where the ingress fetches the keys that verify callbacks with them.
KeyAccountSecret = typing.Annotated[
    Secret, _read_by(Role.INGRESS, Role.WORKER, Role.API)
]
#: Of the api alone.
ApiSecret = typing.Annotated[Secret, _read_by(Role.API)]
#: What tickets are made with (api) and read with (ingress).
TicketSecret = typing.Annotated[Secret, _read_by(Role.INGRESS, Role.API)]
#: A private key in PEM, of the ingress alone.
SigningKey = typing.Annotated[Secret, ReadBy(frozenset({Role.INGRESS}), multiline=True)]


def readers(field: FieldInfo) -> ReadBy | None:
    """Return who reads the secrets that *field* holds, None where it holds none."""
    for each in field.metadata:
        if isinstance(each, ReadBy):
            return each
    return next(_policies(field.annotation), None)


def _policies(annotation: object) -> Iterator[ReadBy]:
    if annotation is Secret:
        yield _EVERYBODY
        return
    if typing.get_origin(annotation) is typing.Annotated:
        yield from (
            each for each in typing.get_args(annotation)[1:] if isinstance(each, ReadBy)
        )
    for part in typing.get_args(annotation):
        yield from _policies(part)
