"""
Check what a caller asks of a provider's begin, and tell every wrong field at once.

Sentences hold no value, and of a provider's refusal only the names of fields that we
sent are kept: parameters may be personal, and a provider may repeat them.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, lenient_json
from worker.providers import _http, _http_responses
from worker.settings import sources

PARAMS = "provider_params"
RETURN_URL = "return_url"  #: as the caller spells it; ours is ``return_address``
LANGUAGE = "language"

#: Returns what is wrong with a value, as the end of a sentence, or None.
Rule = Callable[[object], str | None]
_Path = tuple[str, ...]

_ANSWER_BYTES = 64 << 10  # a begin answers with an id, an address, a few words
_TEXT_MAX = 4096
_LIST_MAX = 100
_DEPTH_MAX = 8
#: a stranger's name is repeated only if it is a plain one: a number may be personal
_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}[0-9]?", re.ASCII)
_UNKNOWN = "is not known here"
REFUSED = "is refused by the provider"
#: members of an error document that hold a field's name, or only more members
_NAMING = frozenset({"field", "key", "name", "param", "parameter", "path", "loc"})
_WRAPPING = frozenset({"body", "detail", "details", "error", "errors", "fields"})
#: an answer came, of which nothing can be read
_IN_DOUBT = frozenset({"too_large", "protocol"})
_NOT_THE_CALLER = frozenset({401, 403, 404, 408, 429})


class Problems:
    """What is wrong with one request: fields, each with its first sentence."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def add(self, field: str, sentence: str) -> None:
        """Note *sentence*, which holds no value, unless the field has one."""
        self._found.setdefault(field, sentence)

    def check(self, field: str, value: object, rule: Rule) -> bool:
        """Note what *rule* finds wrong; return whether that is nothing."""
        sentence = rule(value)
        if sentence is not None:
            self.add(field, sentence)
        return sentence is None

    def table(
        self, field: str, value: object, rules: Mapping[str, Rule]
    ) -> tuple[str, ...]:
        """Check an object member by member; return the names without a rule."""
        if not isinstance(value, Mapping):
            self.add(field, "must be an object")
            return ()
        for name, rule in rules.items():
            if name in value:
                self.check(f"{field}.{name}", value[name], rule)
        return tuple(name for name in value if name not in rules)

    def closed(self, field: str, value: object, rules: Mapping[str, Rule]) -> None:
        """Check an object that has no other members than *rules*."""
        for name in self.table(field, value, rules):
            if check_name(name):
                self.add(f"{field}.{name}", _UNKNOWN)
            else:
                self.add(field, "holds a name that is not known here")

    def bounded(self, params: Mapping[str, Any], most_bytes: int) -> None:
        """Check that all of ``provider_params`` is JSON of at most *most_bytes*."""
        try:
            size = len(orjson.dumps(dict(params)))
        except orjson.JSONEncodeError:
            self.add(PARAMS, "must be plain JSON")
            return
        if size > most_bytes:
            self.add(PARAMS, f"must be at most {most_bytes} bytes of JSON")

    def refuse(self) -> None:
        """Raise errors.BeginRefused if anything is wrong."""
        if self._found:
            raise errors.InvalidBeginRequest(self._found)


def check_name(name: object) -> bool:
    """Return whether *name* may be shown: short, of letters, no number or address."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def check_any(value: object) -> str | None:  # noqa: ARG001 -- a rule
    """Accept whatever is checked elsewhere."""
    return None


def boolean(value: object) -> str | None:
    """Accept true and false."""
    return None if isinstance(value, bool) else "must be true or false"


def text(pattern: str, description: str) -> Rule:
    """Return the rule for a matching text, which *description* describes."""
    compiled = re.compile(pattern, re.ASCII)

    def rule(value: object) -> str | None:
        return None if _matches(compiled, value) else f"must be {description}"

    return rule


def texts(pattern: str, description: str) -> Rule:
    """Return the rule for a list of such texts; *description* is in the plural."""
    compiled = re.compile(pattern, re.ASCII)

    def rule(value: object) -> str | None:
        if (
            isinstance(value, list)
            and 0 < len(value) <= _LIST_MAX
            and all(_matches(compiled, item) for item in value)
        ):
            return None
        return f"must be a list of 1 to {_LIST_MAX} {description}"

    return rule


def one_of(*words: str) -> Rule:
    """Return the rule for one of *words*."""

    def rule(value: object) -> str | None:
        if isinstance(value, str) and value in words:
            return None
        return f"must be one of {', '.join(words)}"

    return rule


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _TEXT_MAX
        and pattern.fullmatch(value) is not None
    )


def attribute(value: str) -> str:
    """Return *value* as it may stand in a quoted attribute of HTML."""
    return html.escape(value, quote=True)


def script_text(value: str) -> str:
    """Return *value* as a quoted JavaScript text that may stand in HTML."""
    safe = re.sub(
        r"[^A-Za-z0-9 ._:/#-]",
        lambda found: "".join(f"\\u{unit:04x}" for unit in _utf16(found[0])),
        value,
    )
    return f"'{safe}'"


def _utf16(character: str) -> Iterator[int]:
    encoded = character.encode("utf-16-be", "surrogatepass")
    for place in range(0, len(encoded), 2):
        yield int.from_bytes(encoded[place : place + 2])


def http(settings: sources.Source, clock: clocks.Clock) -> _http.Http:
    """Return connections on which every request is made once only."""
    return _http.Http(
        base_url=settings.base_url,
        timeout_ms=settings.fetch_timeout,
        limit_bytes=min(settings.max_answer_bytes, _ANSWER_BYTES),
        clock=clock,
        attempts=1,
        proxy=settings.proxy,
    )


#: the one 5xx that says itself that nothing was done
_UNAVAILABLE = 503


async def send(
    http: _http.Http, path: str, body: bytes, headers: Mapping[str, str]
) -> _http_responses.HttpResponse:
    """
    Post one begin and return the whole answer, whatever its status.

    Raises errors.FetchError; where it is not ``answered`` something may have begun,
    unless its detail is ``_http_answers.NOT_CONNECTED``.
    """
    try:
        return await http.request("POST", path, body=body, headers=headers)
    except errors.InvalidResponse as failure:
        detail = failure.detail
    # Raised here and not above: without a context, as all of the errors of _http.
    raise (errors.BeginInDoubt if detail in _IN_DOUBT else errors.InvalidResponse)(
        detail
    )


def refusal(
    answer: _http_responses.HttpResponse, fields: Mapping[str, str]
) -> errors.InvalidBeginRequest | errors.FetchError:
    """
    Return the error for a status that is no success.

    A 5xx but 503 leaves it in doubt: a fault may come after the session was made, and
    a gateway may have given up on a provider that went on. *fields* says, for each
    field that was sent (dotted, as the provider spells it), what the caller calls it.
    A 4xx that names some of them is the caller's affair; nothing else of the answer is
    kept.
    """
    if answer.status // 100 == 4 and answer.status not in _NOT_THE_CALLER:  # noqa: PLR2004 -- 4xx
        named = _named(answer.body, fields)
        if named:
            return errors.InvalidBeginRequest(dict.fromkeys(sorted(named), REFUSED))
    if answer.status // 100 == 5 and answer.status != _UNAVAILABLE:  # noqa: PLR2004 -- 5xx
        return errors.BeginInDoubt(str(answer.status))
    return _http_responses.map_status(answer)


def _named(body: bytes, fields: Mapping[str, str]) -> set[str]:
    """Return those of *fields* that an error document names, however it does."""
    document = lenient_json.loads(body)
    found = {_longest(path, fields) for path in _paths(document, (), 0)}
    return {field for field in found if field is not None}


def _longest(path: _Path, fields: Mapping[str, str]) -> str | None:
    """Return the field that *path* leads to, or into."""
    for length in range(len(path), 0, -1):
        field = fields.get(".".join(path[:length]))
        if field is not None:
            return field
    return None


def _paths(value: object, above: _Path, depth: int) -> Iterator[_Path]:
    """Yield the paths that a document names: by its keys, or by members that name."""
    if depth > _DEPTH_MAX:
        return
    for table in value[:_LIST_MAX] if isinstance(value, list) else [value]:
        for key, inner in table.items() if isinstance(table, dict) else ():
            path = above if key in _WRAPPING and not above else (*above, key)
            if key in _NAMING:
                yield _shorten(inner)
            if isinstance(inner, dict | list):
                yield from _paths(inner, path, depth + 1)
            if not isinstance(inner, dict):
                yield path


def _shorten(value: object) -> _Path:
    """Return the path that a text or a list (as pydantic's ``loc``) spells."""
    parts = value.split(".") if isinstance(value, str) else value
    names = (
        [part for part in parts if isinstance(part, str)]
        if isinstance(parts, list)
        else []
    )
    return tuple(names[1:] if names[:1] and names[0] in _WRAPPING else names)
