"""Check everything in deploy/ without an engine: exits with what is wrong."""

import pathlib
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # it is run as a script

from tests.lint import (  # noqa: E402 -- see above
    deploy_alerts,
    deploy_configs,
    deploy_image,
    deploy_kubernetes,
    deploy_runbook,
)

DEPLOY = ROOT / "deploy"
ALERTS = "alerts/kyc-worker.rules.yaml"
RUNBOOK = ROOT / "docs/operations/runbook.md"
#: The password that every pod gets beside kyc-secrets.
_PASSWORD = "KAFKA_PASSWORD"
_TOOLS = (
    ("hadolint", "--no-color", "--failure-threshold", "info", "deploy/Dockerfile"),
    (
        "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "deploy/compose.yaml",
    ),
)


def read(name: str) -> str:
    """Return the file *name* of deploy/."""
    return (DEPLOY / name).read_text()


def problems() -> Iterator[str]:
    """Yield a sentence for everything that is wrong."""
    running = [_start(*tool) for tool in _TOOLS]
    checks = {
        "Dockerfile": deploy_image.problems(read("Dockerfile")),
        "requirements-build.txt": deploy_configs.pins(
            read("requirements-build.txt"), (ROOT / "requirements-dev.txt").read_text()
        ),
        "compose": _compose(),
        "k8s": _kubernetes(),
        ALERTS: _alerts(),
        "../docs/operations/runbook.md": _runbook(),
    }
    for name, found in checks.items():
        for problem in found:
            yield f"deploy/{name}: {problem}"
    for tool in running:
        result, _ = tool.communicate(timeout=60)
        if tool.returncode:
            yield result.strip()


def _start(name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a tool that was installed beside this Python."""
    path = pathlib.Path(sysconfig.get_path("scripts")) / name
    return subprocess.Popen(  # noqa: S603 -- our own tools, our own arguments
        [path, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _compose() -> Iterator[str]:
    document = yaml.safe_load(read("compose.yaml"))
    text, traffic = read("compose.toml"), read("traffic.py")
    environ = document["x-secrets"]
    yield from deploy_configs.problems(text, environ)
    yield from deploy_configs.played(text, environ, traffic)
    yield from deploy_configs.environments(document["services"], text, environ)
    for name, service in document["services"].items():
        if service.get("command") and "entrypoint" not in service:
            for problem in deploy_runbook.command_problems(service["command"]):
                yield f"{name} {problem}"


def _config_map() -> str:
    document = yaml.safe_load(read("k8s/config.yaml"))
    text: str = document["data"]["config.toml"]
    return text


def _environ(text: str) -> dict[str, str]:
    return deploy_configs.made_up(deploy_configs.references(text))


def _kubernetes() -> Iterator[str]:
    text = _config_map()
    found = list(deploy_configs.problems(text, _environ(text)))
    if found:
        yield from found
        return
    named = deploy_configs.references(text) - {_PASSWORD}
    yield from deploy_configs.examples(read("k8s/secrets.env.example"), named)
    manifests: list[dict[str, Any]] = []
    files = {path.name for path in (DEPLOY / "k8s").glob("*.yaml")}
    for name in sorted(files - {"kustomization.yaml"}):
        manifests += yaml.safe_load_all(read(f"k8s/{name}"))
    config = deploy_configs.load(text, _environ(text))
    needed = deploy_configs.needed(text)
    yield from deploy_kubernetes.problems(manifests, config, needed)
    yield from deploy_kubernetes.kustomized(
        yaml.safe_load(read("k8s/kustomization.yaml")), files - {"kustomization.yaml"}
    )


def _alerts() -> Iterator[str]:
    text = _config_map()
    if not list(deploy_configs.problems(text, _environ(text))):
        partitions = deploy_configs.load(text, _environ(text)).kafka.partitions
        yield from deploy_alerts.problems(read(ALERTS), partitions)


def _runbook() -> Iterator[str]:
    links = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for rule in deploy_alerts.rules(read(ALERTS))
    }
    yield from deploy_runbook.problems(RUNBOOK.read_text(), links)


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or 0)
