"""Test that an unsafe Dockerfile is found."""

import pytest

from tests.lint import deploy, deploy_image

REAL = deploy.read("Dockerfile")
BASE = REAL.partition("FROM ")[2].split()[0]


def test_the_image_is_good() -> None:
    """Nothing is found in what is delivered."""
    assert list(deploy_image.problems(REAL)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("USER 65532:65532\n", "", "its USER must be a number"),
        ("USER 65532:65532", "USER kyc", "its USER must be a number"),
        ("USER 65532:65532", "USER 0:0", "its USER must be a number"),
        (f"FROM {BASE}\n", "FROM alpine:3.20\n", "the same base"),
        (BASE, BASE.partition("@")[0], "patch and digest"),
        (":3.11.14-slim-bookworm", ":3.11-slim", "pinned to patch"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGINT", "STOPSIGNAL must be SIGTERM"),
        ('["kyc-worker"]', "kyc-worker", "ENTRYPOINT must be"),
        ("HEALTHCHECK", "# HEALTHCHECK", "its HEALTHCHECK must run"),
        ("WORKDIR /\n", "RUN pip list\n", "must run nothing in the last stage"),
        ("WORKDIR /src", "RUN apt-get update", "must not have apt-get"),
        ("requirements.txt ./", "requirements-dev.txt ./", "requirements-dev"),
        ("COPY worker worker", "ADD worker worker", "must not have ADD"),
        (" --require-hashes", "", "pip install needs --require-hashes"),
        ("--only-binary=:all:", "", "pip install needs --only-binary=:all:"),
    ],
)
def test_an_unsafe_image_is_found(right: str, wrong: str, found: str) -> None:
    """One thing is wrong, and a sentence says it."""
    assert right in REAL
    assert found in "\n".join(deploy_image.problems(REAL.replace(right, wrong)))
