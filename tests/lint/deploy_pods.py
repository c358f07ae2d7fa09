"""Check each pod: what it runs, what it may, and that it gets the time to drain."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.lint import deploy_runbook
from worker import settings

Document = Mapping[str, Any]

_PROBES = {
    "startupProbe": "/livez",
    "livenessProbe": "/livez",
    "readinessProbe": "/readyz",
}
#: What each command reads of the configuration's secrets.
ROLES: Mapping[str, settings.Role] = {
    "ingress": settings.Role.INGRESS,
    "worker": settings.Role.WORKER,
    "api": settings.Role.API,
    "simulate": settings.Role.ALL,
}
Needed = Mapping[settings.Role, set[str]]
_OF_SOURCES, _OF_KAFKA = "kyc-secrets", "kyc-kafka"


def ports(spec: Document) -> dict[str, int]:
    """Return the ports of the pod *spec* by their names."""
    return {
        port["name"]: port["containerPort"]
        for container in spec["containers"]
        for port in container.get("ports", ())
    }


def problems(
    document: Document, config: settings.Settings, needed: Needed
) -> Iterator[str]:
    """
    Yield a sentence for everything that is wrong with the pods of *document*.

    *needed* are the variables that each process reads.
    """
    template = document.get("spec", {}).get("template")
    if template is None:
        return
    spec = template["spec"]
    wanted = document["spec"].get("selector", {}).get("matchLabels", {})
    if not set(wanted.items()) <= set(template["metadata"]["labels"].items()):
        yield "its selector does not find its own pods"
    yield from _pod(spec)
    for container in spec["containers"]:
        yield from _container(container)
        args = container.get("args")
        yield from _secrets(container, needed[role_of(args or [""])])
        if args is None:
            continue
        yield from deploy_runbook.command_problems(args)
        if args[0] in ("ingress", "api", "worker"):
            yield from _service(args[0], spec, container, config)


def _pod(spec: Document) -> Iterator[str]:
    security = spec.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "must not run as root: runAsNonRoot, and runAsUser as a number"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "its seccompProfile must be RuntimeDefault"
    for key in ("enableServiceLinks", "automountServiceAccountToken"):
        if spec.get(key) is not False:
            yield f"{key} must be false"
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if key in spec:
            yield f"{key} must not be there"


def _container(container: Document) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation must be false"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem must be true"
    if security.get("capabilities") != {"drop": ["ALL"]}:
        yield "must drop ALL capabilities and add none"
    for kind in ("requests", "limits"):
        if set(container.get("resources", {}).get(kind, ())) != {"cpu", "memory"}:
            yield f"its resources must have {kind} of cpu and memory"
    for variable in container.get("env", ()):
        if "PASSWORD" in variable["name"] and "value" in variable:
            yield f"{variable['name']} must come from a Secret"


def role_of(command: Sequence[str]) -> settings.Role:
    """Return what *command* does; whatever is no service speaks with Kafka alone."""
    return ROLES.get(command[0], settings.Role.OPERATOR)


def _secrets(container: Document, needed: set[str]) -> Iterator[str]:
    """Yield which secrets the process lacks, and which are none of its business."""
    if "envFrom" in container:
        yield "must name each secret in env: envFrom gives it all of them"
    held: dict[str, tuple[str, str]] = {
        one["name"]: (from_["name"], from_["key"])
        for one in container.get("env", ())
        if (from_ := one.get("valueFrom", {}).get("secretKeyRef")) is not None
    }
    for name in sorted(needed - set(held)):
        yield f"lacks the secret {name}, which it reads"
    for name in sorted(set(held) - needed):
        yield f"has the secret {name}, which it does not read"
    for name, (secret, key) in held.items():
        if (secret, key) != (_OF_SOURCES, name) and secret != _OF_KAFKA:
            yield f"{name} must come from the key {name} of {_OF_SOURCES}"


def _service(
    command: str, spec: Document, container: Document, config: settings.Settings
) -> Iterator[str]:
    services: Mapping[str, settings.Ingress | settings.Api] = {
        "ingress": config.ingress,
        "api": config.api,
    }
    listening = services.get(command)
    service = listening or config.worker
    held = ports(spec)
    if held.get("admin") != service.admin_port:
        yield f"its port admin must be {service.admin_port}, as configured"
    drain_ms = service.shutdown_timeout
    stop = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    if listening is not None:
        drain_ms += listening.ack_timeout
        if held.get("http") != listening.port:
            yield f"its port http must be {listening.port}, as configured"
        if not stop:
            yield "must wait in preStop: SIGTERM closes the listener at once"
    needed = drain_ms / 1000 + stop.get("seconds", 0)
    if spec.get("terminationGracePeriodSeconds", 30) <= needed:
        yield f"its terminationGracePeriodSeconds must be above {needed:g}"
    for probe, path in _PROBES.items():
        asked = container.get(probe, {}).get("httpGet", {})
        if asked != {"path": path, "port": "admin"}:
            yield f"its {probe} must ask {path} at the port admin"
