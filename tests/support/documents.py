"""Make documents that are nearly documented: one value, type, name or shape is not."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

#: Values that stand where others are documented: nothing, nearly nothing, and more.
_ODD: tuple[object, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, "", " ", "x", "true", "null", "0", "\ufffd"),
    *([], [None], [[]], [{}], [""], [0], ["x"], {}, {"": None}, {"a": None}),
    *({"value": ""}, {"reason": "fraud"}, {"code": "face_mismatch"}, {"result": False}),
    *({"value": [], "description": 0}, {"type": "CALC_RESULT"}, {"result": "SUCCESS"}),
)

_CHANGES = ("value", "value", "list", "new", "spelling", "name", "gone")


def near(
    documented: Sequence[Mapping[str, Any]], words: Sequence[object]
) -> st.SearchStrategy[Any]:
    """
    Return a strategy of changed copies of *documented*, some of them unchanged.

    *words* are names and values of the documents, which stand anywhere.
    """
    return st.composite(_near)(documented, words)


def _near(
    draw: st.DrawFn, documented: Sequence[Mapping[str, Any]], words: Sequence[object]
) -> Any:  # noqa: ANN401 -- any JSON
    document: Any = copy.deepcopy(draw(st.sampled_from(documented)))
    values = st.sampled_from([*words, *_ODD]).map(copy.deepcopy)
    names = st.sampled_from([each for each in words if isinstance(each, str)])
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.integers(0, 15)) == 0:
            return draw(st.sampled_from([[document], {"data": document}, document]))
        if places := list(_places(document)):
            within, place = draw(st.sampled_from(places))
            _change(draw, within, place, names=names, values=values)
    return document


def _change(
    draw: st.DrawFn,
    within: Any,  # noqa: ANN401 -- an object or a list
    place: Any,  # noqa: ANN401 -- a name or a number
    *,
    names: st.SearchStrategy[str],
    values: st.SearchStrategy[object],
) -> None:
    """Change what stands at *place*, or add something beside it."""
    match draw(st.sampled_from(_CHANGES)):
        case "value":
            within[place] = draw(values)
        case "list":
            within[place] = [within[place]]
        case "new" if isinstance(within, dict):
            within[draw(names)] = draw(values)
        case "new":
            within.append(draw(values))
        case "spelling" if isinstance(within[place], str):
            spell = draw(st.sampled_from([str.upper, str.lower, str.title, _cut]))
            within[place] = spell(within[place])
        case "name" if isinstance(within, dict):
            within[draw(names)] = within.pop(place)
        case _:
            del within[place]


def _cut(text: str) -> str:
    return f"{text} "


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield each object and list with each of its places, however deep."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for place, each in inner:
        yield value, place
        yield from _places(each)
