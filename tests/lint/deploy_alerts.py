"""Check the alert rules: their structure, and every metric and label they name."""

import collections
import enum
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import yaml

from worker import model
from worker.telemetry import metric_defs, metric_types

Document = Mapping[str, Any]

_RULE_KEYS = {"alert", "expr", "for", "labels", "annotations"}
_NOTES = {"summary", "description", "runbook_url"}
_SEVERITIES = {"critical", "warning", "info"}
_TEMPLATE = re.compile(r"\{\{\s*\$labels\.(\w+)\s*\}\}")
_DURATION = re.compile(r"\d+[smhd]")
#: What every series carries besides its own labels, and what Prometheus adds.
_TARGET_LABELS = {"job", "instance", "pod", "namespace"}
_SUFFIXES = ("_bucket", "_sum", "_count")
_JOBS = {"kyc-ingress", "kyc-api", "kyc-worker"}


def rules(text: str) -> list[Document]:
    """Return every rule of the rule file *text*; raises yaml.YAMLError, KeyError."""
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def problems(text: str, partitions: int) -> Iterator[str]:
    """Yield a sentence for everything that is wrong in the rule file *text*."""
    try:
        document = yaml.safe_load(text)
        found = rules(text)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"is no rule file: {error!r}"
        return
    if set(document) != {"groups"}:
        yield f"has keys beside groups: {sorted(set(document) - {'groups'})}"
    for group in document["groups"]:
        if set(group) != {"name", "rules"}:
            yield f"group {group.get('name')} has keys {sorted(group)}"
    names = collections.Counter(rule.get("alert") for rule in found)
    for name, times in names.items():
        if times > 1:
            yield f"{name} is there {times} times"
    for rule in found:
        for problem in (*_structure(rule), *_expression(rule, partitions)):
            yield f"{rule.get('alert')}: {problem}"
    yield from _alarms(found)


def _structure(rule: Document) -> Iterator[str]:
    if unknown := set(rule) - _RULE_KEYS:
        yield f"unknown keys {sorted(unknown)}"
    for key in ("expr", "labels", "annotations"):
        if key not in rule:
            yield f"{key} is missing"
    if not _DURATION.fullmatch(str(rule.get("for", "1m"))):
        yield f"for: {rule['for']} is no duration"
    if rule.get("labels", {}).get("severity") not in _SEVERITIES:
        yield f"its severity must be one of {sorted(_SEVERITIES)}"
    notes = rule.get("annotations", {})
    if set(notes) != _NOTES:
        yield f"its annotations must be {sorted(_NOTES)}"
    if not str(notes.get("description", "")).endswith("."):
        yield "its description is no sentence"


def _alarms(found: list[Document]) -> Iterator[str]:
    """Hold the rules against the alarms: one each, named and linked after it."""
    expressions = {rule.get("alert"): str(rule.get("expr")) for rule in found}
    for kind in model.AlarmKind:
        name = "Kyc" + "".join(map(str.capitalize, kind.split("_")))
        asking = [
            alert
            for alert, text in expressions.items()
            if f'kyc_alarms_total{{kind="{kind}"}}' in text
        ]
        if asking != [name]:
            yield f"alarm {kind}: one rule must ask for it, {name}; there are {asking}"
    for rule in found:
        if kinds := re.findall(r'kind="(\w+)"', str(rule.get("expr"))):
            link = str(rule.get("annotations", {}).get("runbook_url"))
            if not link.endswith(f"#{kinds[0]}"):
                yield f"{rule.get('alert')}: its entry must be #{kinds[0]}"


def _expression(rule: Document, partitions: int) -> Iterator[str]:
    """Yield what the expression names and no process exports."""
    text = str(rule.get("expr"))
    try:
        parsed = promql_parser.parse(text)
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    selectors: list[promql_parser.VectorSelector] = []
    grouped: set[str] = set()

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            grouped.update(node.modifier.labels)
        return True

    promql_parser.walk(parsed, visit)
    known: set[str] = set(_TARGET_LABELS)
    for selector in selectors:
        domains = _domains(selector.name or "")
        if domains is None:
            yield f"no metric is exported as {selector.name}"
            continue
        known |= set(domains)
        yield from _matchers(selector, domains)
    used = _TEMPLATE.findall(str(rule.get("annotations")))
    for name in sorted(grouped.union(used) - known):
        yield f"no metric of it has the label {name}"
    bound = re.search(r"kyc_owned_partitions\)\s*<\s*(\d+)", text)
    if bound is not None and int(bound[1]) != partitions:
        yield f"compares with {bound[1]}, and kafka.partitions is {partitions}"


def _domains(name: str) -> Mapping[str, set[str] | None] | None:
    """Return the labels of the series *name* and their values (None: any)."""
    if name == "up":
        return {"job": _JOBS}
    if name == "kyc_build_info":
        return {"version": None}
    for metric in metric_defs.CATALOGUE:
        histogram = metric.kind == "histogram"
        exported = {metric.name + s for s in _SUFFIXES} if histogram else {metric.name}
        if name in exported:
            of = {key: _words(domain) for key, domain in metric.labels.items()}
            return {**of, "le": None} if name.endswith("_bucket") else of
    return None


def _words(domain: metric_types.Domain) -> set[str] | None:
    if issubclass(domain, enum.StrEnum):
        return {str(value) for value in domain}
    return None


def _matchers(
    selector: promql_parser.VectorSelector, domains: Mapping[str, set[str] | None]
) -> Iterator[str]:
    for matcher in selector.matchers.matchers:
        if matcher.name not in domains:
            yield f"{selector.name} has no label {matcher.name}"
            continue
        known = domains[matcher.name]
        for value in matcher.value.split("|"):
            if known is not None and value not in known:
                yield f"{selector.name}: {matcher.name} is never {value!r}"
