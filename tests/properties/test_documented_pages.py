"""
Every provider: only what its page calls approved is approved.

The oracle is the result table of docs/providers, read as a person reads it, and not the
adapter's own table. Documents are the vectors with values exchanged: for words of the
page, the same words in another case or with space around them, and other types.
"""

import copy
import functools
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model, ports, providers

_ROOT = pathlib.Path(__file__).parents[2]
_WORD = re.compile(r"`([^`]+)`")


@functools.cache
def _rows(name: str) -> tuple[tuple[list[str], str], ...]:
    """Return the words and the decision of each row of the page's tables."""
    page = (_ROOT / "docs" / "providers" / f"{name}.md").read_text()
    rows = [line.strip("|").split("|") for line in page.splitlines() if line[:1] == "|"]
    return tuple(
        ([word for cell in row[:-1] for word in _WORD.findall(cell)], row[-1].strip())
        for row in rows
    )


def _approving(name: str) -> set[str]:
    """Return the words of which one stands in every document that is approved."""
    rows = [words for words, decision in _rows(name) if decision.startswith("approved")]
    assert rows, f"docs/providers/{name}.md says nowhere what is approved"
    words = {word for row in rows for word in row}
    # The name of a setting stands for the source's own words.
    return words.union(*(_settings(name).get(word, ()) for word in words))


@functools.cache
def _vectors(name: str) -> tuple[dict[str, Any], ...]:
    """Return the result vectors that are read with the settings of all."""
    folder = _ROOT / "tests" / "vectors" / name
    read = [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    return tuple(
        each for each in read if each["kind"] == "result" and not each.get("settings")
    )


@functools.cache
def _settings(name: str) -> dict[str, Any]:
    """Return the settings of the vectors."""
    path = _ROOT / "tests" / "vectors" / name / "settings.json"
    table: dict[str, Any] = orjson.loads(path.read_bytes())["settings"]
    return table


@functools.cache
def _adapter(name: str) -> ports.Provider:
    """Return the adapter with the settings of the vectors."""
    entry = providers.REGISTRY[name]
    checked = entry.settings_type.model_validate({"provider": name, **_settings(name)})
    return entry.build("a", checked, clocks.SystemClock())


def _leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths to what is no object and no list."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _leaves(inner, (*path, key))
    else:
        yield path


def _at(document: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401 -- JSON
    return functools.reduce(lambda value, key: value[key], path, document)


def _outcome(name: str, session_id: str, document: object) -> str | None:
    """Return what *document* becomes, None where it is an error."""
    key = model.SessionKey("a", session_id)
    try:
        result = _adapter(name).interpret(key, session_id, adapters.answer(document))
    except errors.FetchError:
        return None
    return result.verdict.outcome.value


Pattern = frozenset[tuple[tuple[Any, ...], str]]


def _pattern(document: object, words: set[str]) -> Pattern:
    """Return where each of *words* stands, the highest place of each."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(_leaves(document), key=len):
        value = _at(document, path)
        if isinstance(value, str) and value in words:
            found.setdefault(value, path)
    return frozenset((path, word) for word, path in found.items())


def _holds(pattern: Pattern, document: object, words: set[str]) -> bool:
    """Return whether every place of *pattern* has one of *words*."""
    leaves = {path: _at(document, path) for path in _leaves(document)}
    return all(leaves.get(path) in words for path, _ in pattern)


@functools.cache
def _patterns(name: str) -> frozenset[Pattern]:
    """Return where the approved vectors have the words of the page."""
    words = _approving(name)
    return frozenset(
        _pattern(each["document"], words)
        for each in _vectors(name)
        if each["expect"].get("outcome") == "approved"
    )


@st.composite
def _changed(draw: st.DrawFn, name: str) -> tuple[str, Any]:
    """
    Return the session id and the document of a vector, a few values exchanged.

    Every other vector is an approved one, every other place one that decides, and
    every other word one that approves.
    """
    every = _vectors(name)
    approved = [each for each in every if each["expect"].get("outcome") == "approved"]
    vector = draw(st.sampled_from(approved) | st.sampled_from(every))
    document = copy.deepcopy(vector["document"])
    rows = sorted({word for words, _ in _rows(name) for word in words})
    word = st.sampled_from(sorted(_approving(name))) | st.sampled_from(rows)
    value = st.one_of(
        word,
        word.map(str.upper),
        word.map(str.lower),
        word.map(lambda text: f" {text}"),
        word.map(lambda text: [text]),
        word.map(lambda text: {text: True}),
        st.sampled_from([None, True, False, 0, 1, "", "true", "1"]),
    )
    deciding = sorted({path for pattern in _patterns(name) for path, _ in pattern})
    places = st.sampled_from(deciding) | st.sampled_from([*_leaves(document), ()])
    for path in draw(st.lists(places, max_size=3)):
        try:
            parent = _at(document, path[:-1])
            parent[path[-1]] = draw(value)
        except (KeyError, TypeError, IndexError):
            continue  # there is no such place, or an exchange has taken it away
    return vector["session_id"], document


@pytest.mark.parametrize(
    "name", [name for name in sorted(providers.REGISTRY) if _vectors(name)]
)
def test_only_what_the_page_calls_approved_is_approved(name: str) -> None:
    """The words of an approving row are where an approved vector has them."""
    patterns, words = _patterns(name), _approving(name)
    assert patterns
    assert frozenset() not in patterns

    @settings(max_examples=80)
    @given(_changed(name))
    def check(changed: tuple[str, Any]) -> None:
        session_id, document = changed
        if _outcome(name, session_id, document) == "approved":
            assert any(_holds(pattern, document, words) for pattern in patterns)

    check()
