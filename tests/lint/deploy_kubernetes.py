"""Check the manifests: against Kubernetes' schemas, and as one system."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # -- it ships no types
import orjson

from tests.lint import deploy_pods, deploy_routes
from worker import settings

Document = Mapping[str, Any]

#: The oldest and the newest version that must take the manifests.
_VERSIONS = ("1.33", kubernetes_validate.latest_version())
_SCALED = {
    "scaleTargetRef",
    "pollingInterval",
    "minReplicaCount",
    "maxReplicaCount",
    "fallback",
    "advanced",
    "triggers",
}
#: Events a second of one worker at its greatest rate, on one core: see
#: docs/performance.md.
_FULL_RATE = 3_000
_TRIGGER = {"type", "metadata", "authenticationRef"}
#: Custom resources: their API version, and what may stand under spec.
_CUSTOM: Mapping[str, tuple[str, set[str]]] = {
    "ScaledObject": ("keda.sh/v1alpha1", _SCALED),
    "TriggerAuthentication": ("keda.sh/v1alpha1", {"secretTargetRef"}),
    "PodMonitor": (
        "monitoring.coreos.com/v1",
        {"jobLabel", "selector", "podMetricsEndpoints"},
    ),
}


def problems(
    documents: Sequence[Document],
    config: settings.Settings,
    needed: deploy_pods.Needed,
) -> Iterator[str]:
    """Yield a sentence for everything that is wrong in the manifests *documents*."""
    for document in documents:
        name = f"{document.get('kind')} {document.get('metadata', {}).get('name')}"
        for problem in _schema(document):
            yield f"{name}: {problem}"
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        for problem in (
            *deploy_pods.problems(document, config, needed),
            *_selectors(document, documents),
            *_scaler(document, documents, config),
            *_monitor(document, documents),
            *deploy_routes.problems(document, deploy_routes.served()),
        ):
            yield f"{name}: {problem}"


def _schema(document: Document) -> Iterator[str]:
    kind = str(document.get("kind"))
    if kind in _CUSTOM:
        version, keys = _CUSTOM[kind]
        if document.get("apiVersion") != version:
            yield f"its apiVersion must be {version}"
        if unknown := set(document) - {"apiVersion", "kind", "metadata", "spec"}:
            yield f"unknown keys {sorted(unknown)}"
        if unknown := set(document.get("spec", {})) - keys:
            yield f"unknown keys in spec {sorted(unknown)}"
        return
    for version in _VERSIONS:
        yield from _invalid(orjson.dumps(document), version)


@functools.cache  # reading the schemas takes most of the time
def _invalid(document: bytes, version: str) -> tuple[str, ...]:
    """Return why *document*, as JSON, is not valid for Kubernetes *version*."""
    try:
        kubernetes_validate.validate(orjson.loads(document), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(map(str, error.path))
        return (f"not valid for Kubernetes {version}: {place}: {error.message}",)
    except kubernetes_validate.SchemaNotFoundError:
        return (f"Kubernetes {version} has no such kind",)
    return ()


def kustomized(document: Document, files: set[str]) -> Iterator[str]:
    """Yield how the list of *document* differs from the manifests that there are."""
    listed = document.get("resources", [])
    for name in sorted(files.symmetric_difference(listed)):
        what = "is not listed" if name in files else "is listed and not there"
        yield f"{name} {what}"
    if len(listed) != len(set(listed)):
        yield "lists a file twice"


def _pods(documents: Sequence[Document]) -> Iterator[tuple[Document, Document]]:
    """Yield labels and spec of every pod template."""
    for document in documents:
        template = document.get("spec", {}).get("template")
        if template is not None:
            yield template["metadata"]["labels"], template["spec"]


def _selected(wanted: Document, documents: Sequence[Document]) -> list[Document]:
    """Return the spec of every pod that has the labels *wanted*."""
    return [
        spec
        for held, spec in _pods(documents)
        if set(wanted.items()) <= set(held.items())
    ]


def _selectors(document: Document, documents: Sequence[Document]) -> Iterator[str]:
    """Yield selectors that find no pod, and ports that no pod has."""
    spec = document.get("spec", {})
    selector = spec.get("podSelector", spec.get("selector"))
    if selector is None:
        return
    wanted = selector
    if document["kind"] != "Service":
        wanted = selector.get("matchLabels", {})
    found = _selected(wanted, documents)
    if not found:
        yield f"its selector finds no pod: {wanted}"
    ports = [one.get("targetPort") for one in spec.get("ports", ())]
    ports += [
        port["port"]
        for rule in spec.get("ingress", ())
        for port in rule.get("ports", ())
    ]
    for port in ports:
        if not any(port in deploy_pods.ports(pod) for pod in found):
            yield f"no pod that it selects has the port {port}"


def _scaler(
    document: Document, documents: Sequence[Document], config: settings.Settings
) -> Iterator[str]:
    if document["kind"] != "ScaledObject":
        return
    named = {(one["kind"], one["metadata"]["name"]) for one in documents}
    spec = document["spec"]
    if ("Deployment", spec["scaleTargetRef"]["name"]) not in named:
        yield "scales a Deployment that is not there"
    if (
        not spec["minReplicaCount"]
        <= spec["maxReplicaCount"]
        <= config.kafka.partitions
    ):
        yield "its replicas must be at most one a partition"
    fallback = spec.get("fallback", {}).get("replicas", 0)
    if not spec["minReplicaCount"] <= fallback <= spec["maxReplicaCount"]:
        yield "its fallback must keep some replicas: at least the fewest, at most all"
    for trigger in spec["triggers"]:
        if set(trigger) != _TRIGGER or trigger["type"] != "kafka":
            yield f"its trigger must be kafka with {sorted(_TRIGGER)}"
            continue
        yield from _lag(trigger["metadata"], config)
        if ("TriggerAuthentication", trigger["authenticationRef"]["name"]) not in named:
            yield "its TriggerAuthentication is not there"


def _lag(held: Document, config: settings.Settings) -> Iterator[str]:
    """Yield where the scaler looks at another lag than the workers' own."""
    must = {
        "bootstrapServers": config.kafka.bootstrap_servers,
        "consumerGroup": config.kafka.group_id,
        "topic": config.kafka.topic("events"),
    }
    for key, value in must.items():
        if held.get(key) != value:
            yield f"{key} must be {value}, as configured"
    shown = _FULL_RATE * config.worker.offset_commit_interval / 1000
    if float(held.get("lagThreshold", 0)) <= shown:
        yield (
            f"lagThreshold must be above {shown:g}, the lag that a worker shows which"
            " keeps up: its offsets are committed every worker.offset_commit_interval"
        )
    for key, value in held.items():
        if not isinstance(value, str):
            yield f"{key} must be a text"


def _monitor(document: Document, documents: Sequence[Document]) -> Iterator[str]:
    if document["kind"] != "PodMonitor":
        return
    pods = _selected(document["spec"]["selector"]["matchLabels"], documents)
    for endpoint in document["spec"]["podMetricsEndpoints"]:
        if not any(endpoint["port"] in deploy_pods.ports(pod) for pod in pods):
            yield f"no pod that it selects has the port {endpoint['port']}"
        if endpoint.get("path") != "/metrics":
            yield "its path must be /metrics"
