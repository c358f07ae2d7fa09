"""Test that a wrong manifest is found."""

import functools
from typing import Any

import pytest
import yaml

from tests.lint import deploy, deploy_configs, deploy_kubernetes
from worker import settings

FILES = (
    "ingress",
    "worker",
    "topics",
    "operator",
    "network",
    "scaler",
    "monitoring",
    "api",
    "public",
)
WORKER_PASSWORD = """\
              valueFrom:
                secretKeyRef:
                  name: kyc-kafka
                  key: worker
"""
SPLIT = "\n---\n"
REAL = SPLIT.join(deploy.read(f"k8s/{name}.yaml") for name in FILES)


@functools.cache
def parsed(text: str) -> dict[str, Any]:
    """Return one manifest; nobody changes it."""
    document: dict[str, Any] = yaml.safe_load(text)
    return document


CONFIG: str = yaml.safe_load(deploy.read("k8s/config.yaml"))["data"]["config.toml"]
NEEDED = deploy_configs.needed(CONFIG)


@pytest.fixture(name="config", scope="module")
def _config() -> settings.Settings:
    """Return the settings of the ConfigMap."""
    text = CONFIG
    environ = deploy_configs.made_up(deploy_configs.references(text))
    return deploy_configs.load(text, environ)


def test_the_manifests_are_good(config: settings.Settings) -> None:
    """Nothing is found in what is delivered."""
    documents = [parsed(text) for text in REAL.split(SPLIT)]
    assert list(deploy_kubernetes.problems(documents, config, NEEDED)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        # Kubernetes' own schemas
        ("replicas: 2", "replica: 2", "'replica' was unexpected"),
        (
            "replicas: 2",
            "replicas: two",
            "Kubernetes 1.33: spec.replicas",
        ),
        ("kind: PodDisruptionBudget", "kind: PodBudget", "has no such kind"),
        # custom resources
        ("keda.sh/v1alpha1", "keda.sh/v1", "its apiVersion must be keda.sh/v1alpha1"),
        ("pollingInterval:", "polling:", "unknown keys in spec ['polling']"),
        ("  jobLabel:", "  job:", "unknown keys in spec ['job']"),
        ("maxReplicaCount: 24", "maxReplicaCount: 25", "at most one a partition"),
        ("topic: kyc.events", "topic: events", "topic must be kyc.events"),
        ("consumerGroup: kyc.worker", "consumerGroup: kyc", "consumerGroup must be"),
        ('"16000" # a worker', "16000", "lagThreshold must be a text"),
        ('"16000" # a worker', '"15000"', "lagThreshold must be above 15000"),
        ("    replicas: 4\n", "    replicas: 1\n", "its fallback must keep some"),
        ("  fallback:", "  fallBack:", "its fallback must keep some"),
        # the public routes
        ("path: /return\n", "path: /returns\n", "does not publish /return/"),
        ("path: /finished\n", "path: /other\n", "does not publish /finished/"),
        ("path: /webhooks\n", "path: /\n", "publishes / (Prefix), which the ingress"),
        (
            "path: /.well-known/jwks.json\n",
            "path: /.well-known\n",
            "does not publish /.well-known/jwks.json",
        ),
        ("pathType: Exact", "pathType: Prefix", "does not publish /.well-known/jwks"),
        (
            "pathType: Prefix",
            "pathType: Exact",
            "does not publish /webhooks/{source}/{token}",
        ),
        ("    name: kyc-worker\n  polling", "    name: kyc\n  polling", "a Deployment"),
        ("        name: kyc-kafka\n---", "        name: kafka\n---", "TriggerAuth"),
        ("- type: kafka", "- type: cpu", "its trigger must be kafka"),
        ("path: /metrics", "path: /metric", "its path must be /metrics"),
        ("    - port: admin\n", "    - port: metrics\n", "has the port metrics"),
        # one system
        ("targetPort: http", "targetPort: web", "has the port web"),
        ("port: http }", "port: web }", "has the port web"),
        (
            "  selector:\n    app.kubernetes.io/name: kyc-ingress\n  ports",
            "  selector:\n    app.kubernetes.io/name: ingress\n  ports",
            "its selector finds no pod",
        ),
        # pods
        ("runAsNonRoot: true", "runAsNonRoot: false", "must not run as root"),
        ("runAsUser: 65532", "runAsUser: 0", "must not run as root"),
        ("type: RuntimeDefault", "type: Unconfined", "must be RuntimeDefault"),
        ("enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"),
        ("automountServiceAccountToken: false", "hostPID: true", "hostPID must not"),
        (
            "automountServiceAccountToken: false",
            "hostPID: true",
            "Token must be",
        ),
        ("Escalation: false", "Escalation: true", "Escalation must be false"),
        ("RootFilesystem: true", "RootFilesystem: false", "Filesystem must be true"),
        ("drop: [ALL]", "drop: [CHOWN]", "must drop ALL capabilities"),
        ("              memory: 1Gi\n", "", "must have limits of cpu and memory"),
        ("name: kyc-secrets", "name: other", "must come from the key IDNOW"),
        ("key: TICKET_SECRET", "key: OTHER", "must come from the key TICKET_SECRET"),
        (
            "            - name: TICKET_SECRET\n",
            "            - name: OTHER\n",
            "lacks the secret TICKET_SECRET, which it reads",
        ),
        (
            "            - name: IDENTOMAT_CALLBACK_KEY\n",
            "            - name: IDNOW_API_KEY\n",
            "has the secret IDNOW_API_KEY, which it does not read",
        ),
        (
            "          env:\n",
            "          envFrom: [{ secretRef: { name: all } }]\n          env:\n",
            "must name each secret in env",
        ),
        (
            WORKER_PASSWORD,
            "              value: secret\n",
            "KAFKA_PASSWORD must come from a Secret",
        ),
        ("args: [worker]", "args: [wrker]", "there is no command 'wrker'"),
        ("containerPort: 9091", "containerPort: 9090", "port admin must be 9091"),
        ("containerPort: 8080", "containerPort: 80", "port http must be 8080"),
        ("containerPort: 8081", "containerPort: 8082", "its port http must be 8081"),
        ("GracePeriodSeconds: 60", "GracePeriodSeconds: 30", "must be above 45"),
        ("GracePeriodSeconds: 60", "GracePeriodSeconds: 30", "must be above 30"),
        ("seconds: 10", "seconds: 40", "must be above 75"),
        (
            "sleep:\n                seconds: 10",
            "stopSignal: x",
            "wait in preStop",
        ),
        ("path: /readyz", "path: /livez", "its readinessProbe must ask /readyz"),
        ("          livenessProbe:", "          livelinessProbe:", "its livenessProbe"),
        (
            "    matchLabels:\n      app.kubernetes.io/name: kyc-worker\n  strategy",
            "    matchLabels:\n      app.kubernetes.io/name: worker\n  strategy",
            "its selector does not find its own pods",
        ),
    ],
)
def test_a_wrong_manifest_is_found(
    config: settings.Settings, right: str, wrong: str, found: str
) -> None:
    """One thing is wrong, and a sentence says it."""
    assert right in REAL
    documents = [parsed(text) for text in REAL.replace(right, wrong).split(SPLIT)]
    assert found in "\n".join(deploy_kubernetes.problems(documents, config, NEEDED))


def test_a_file_that_is_not_applied_is_found() -> None:
    """The kustomization lists every manifest once, and nothing else."""
    listed = {"resources": ["a.yaml", "b.yaml", "b.yaml"]}

    assert list(deploy_kubernetes.kustomized(listed, {"a.yaml", "c.yaml"})) == [
        "b.yaml is listed and not there",
        "c.yaml is not listed",
        "lists a file twice",
    ]
