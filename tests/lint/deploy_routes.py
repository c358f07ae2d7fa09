"""Check what the controller publishes against the routes that the ingress serves."""

import ast
import functools
import pathlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import worker

Document = Mapping[str, Any]

#: Whatever answers on the ingress's public port.
_PACKAGES = ("ingress", "returns")
_ROUTE = re.compile(r"/[a-z.][\w.{}/-]*", re.ASCII)
_PLACEHOLDER = "/{"


@functools.cache  # parsing the code takes most of the time
def served() -> frozenset[str]:
    """Return every route that the code of the public port spells."""
    root = pathlib.Path(worker.__file__).parent
    return frozenset(
        node.value
        for package in _PACKAGES
        for path in (root / package).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _ROUTE.fullmatch(node.value)
    )


def problems(document: Document, routes: Collection[str]) -> Iterator[str]:
    """Yield which of *routes* an Ingress hides, and what it publishes beside them."""
    if document["kind"] != "Ingress":
        return
    published = {
        path["path"]: path["pathType"]
        for rule in document["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    for route in sorted(routes):
        if not any(_covers(*each, route) for each in published.items()):
            yield f"does not publish {route}, which the ingress serves"
    for path, kind in published.items():
        if not any(_covers(path, kind, route) for route in routes):
            yield f"publishes {path} ({kind}), which the ingress does not serve"


def _covers(path: str, kind: str, route: str) -> bool:
    """Return whether requests for *route* match *path*, and not much more does."""
    fixed, placeholder, _ = route.partition(_PLACEHOLDER)
    below = bool(placeholder) or fixed.endswith("/")
    return path == fixed.rstrip("/") and kind == ("Prefix" if below else "Exact")
