"""Check what a linter of Dockerfiles does not ask for: user, pins, probe, signal."""

import re
from collections.abc import Iterator

_BASE = re.compile(r"python:3\.1[12]\.\d+-slim-\w+@sha256:[0-9a-f]{64}")
_NUMERIC = re.compile(r"[1-9]\d*:[1-9]\d*")
_FINAL = {
    "STOPSIGNAL": "SIGTERM",
    "ENTRYPOINT": '["kyc-worker"]',
}
#: What brings a compiler, a shell's curl or the dev extra into the image.
_REFUSED = ("apt-get", "apk ", "requirements-dev", "[dev]", "ADD ")


def problems(text: str) -> Iterator[str]:
    """Yield a sentence for everything that is wrong in the Dockerfile *text*."""
    lines = _instructions(text)
    bases = [value.split()[0] for name, value in lines if name == "FROM"]
    if len(bases) < 2 or len(set(bases)) > 1:
        yield "must have two stages on the same base"
    for base in bases:
        if not _BASE.fullmatch(base):
            yield f"its base {base} must be a slim Python, pinned to patch and digest"
    last = max(place for place, (name, _) in enumerate(lines) if name == "FROM")
    final = dict(lines[last:])
    if not _NUMERIC.fullmatch(final.get("USER", "")):
        yield "its USER must be a number other than 0, and its group too"
    for name, value in _FINAL.items():
        if final.get(name) != value:
            yield f"{name} must be {value}"
    if "/opt/kyc/health.py" not in final.get("HEALTHCHECK", ""):
        yield "its HEALTHCHECK must run /opt/kyc/health.py"
    if "RUN" in final:
        yield "must run nothing in the last stage"
    for name, value in lines:
        yield from _installs(name, value)


def _instructions(text: str) -> list[tuple[str, str]]:
    """Return every instruction and what follows it, on one line."""
    code = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    split = (line.partition(" ") for line in code.splitlines() if line.strip())
    return [(name, " ".join(rest.split())) for name, _, rest in split]


def _installs(name: str, value: str) -> Iterator[str]:
    for word in _REFUSED:
        if word in f"{name} {value}":
            yield f"must not have {word.strip()}"
    for command in value.split("&&"):
        offline = "--no-index" in command
        if "install" in command and "pip" in command and not offline:
            for option in ("--require-hashes", "--only-binary=:all:"):
                if option not in command:
                    yield f"pip install needs {option}"
