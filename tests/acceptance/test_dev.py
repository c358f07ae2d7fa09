"""Run ``dev`` itself and see that it does what it promises."""

import pathlib
import re
import shlex
import signal
import socket
import urllib.request
import uuid
from collections import defaultdict

import orjson
import psutil
import pytest

from tests.acceptance import conftest, processes
from worker import signing
from worker.devkit.dev import cases, sample_config

_ANY = ("--port", "0", "--admin-port", "0", "--api-port", "0")
_SCHEME = signing.BodyHmac("X-Verification-Signature")


def test_once_plays_every_provider_and_scenario(tmp_path: pathlib.Path) -> None:
    """All combinations are in the table, all as expected, and the exit is 0."""
    run = processes.Dev(["--once"], tmp_path)
    try:
        assert run.end() == 0, run.output
    finally:
        run.kill()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in run.output.splitlines()
        if line.startswith("|")
    ]
    assert rows[0] == ["provider", "scenario", "expected", "actual", "ms", "ok"]
    played = sorted((row[0].partition("_")[0], row[1]) for row in rows[1:])
    assert played == sorted(
        (source, str(name))
        for source in sample_config.names()
        for name in cases.scenarios(source)
    )
    many = len(played)
    assert all(row[2] == row[3] and row[5] == "ok" for row in rows[1:]), run.output
    assert f"{many} of {many} as expected" in run.output


def test_the_curl_line_works_and_ctrl_c_ends_cleanly(
    dev: conftest.Start, tmp_path: pathlib.Path
) -> None:
    """On a terminal the ready-made callback is taken, and its decision is shown."""
    data = tmp_path / "data"
    run = dev(*_ANY, "--no-traffic", "--data-dir", str(data), terminal=True)
    run.until_output("Ctrl-C ends everything")
    line, begin = (line for line in run.output.splitlines() if line.startswith("curl "))
    body, answer = _sent_as_by_curl(line)
    assert answer["status"] == "accepted"
    assert _sent_as_by_curl(begin)[1]["reference"] == "customer-1"
    session_id = orjson.loads(body)["verificationSessionId"]
    shown = re.compile(
        rf"^✔ [\d:.]+  approved  idbeyond +{session_id[:12]}  r1  verified +"
        r"next: none  \d+ ms$",
        re.MULTILINE,
    )
    run.until(lambda: shown.search(run.output), "the decision")
    assert run.end(signal.SIGINT) == 0
    _no_traceback(run, data)


def test_a_killed_worker_stops_no_decisions(
    dev: conftest.Start, tmp_path: pathlib.Path
) -> None:
    """Decisions go on, none twice and none left out; SIGTERM ends all cleanly."""
    data = tmp_path / "data"
    run = dev(*_ANY, "--workers", "2", "--data-dir", str(data))
    run.until(lambda: run.fact("workers") and len(run.decisions) > 4, "decisions")
    victim, other = run.workers
    psutil.Process(victim).kill()
    run.until_output(f"(pid {victim}) ended; its partitions move to the others")
    run.until_output("worker 1 runs again")
    before = len(run.decisions)
    run.until(lambda: len(run.decisions) > before + 12, "decisions after the kill")
    assert psutil.pid_exists(other)
    assert f"pid {other}) ended" not in run.output
    assert run.end(signal.SIGTERM) == 0
    revisions = defaultdict(list)
    for decision in run.decisions:
        revisions[decision["source"], decision["session_id"]].append(
            decision["revision"]
        )
    assert {key: list(range(1, len(seen) + 1)) for key, seen in revisions.items()} == (
        {key: sorted(seen) for key, seen in revisions.items()}
    )
    _no_traceback(run, data)


def test_a_taken_port_is_said_in_a_sentence(dev: conftest.Start) -> None:
    """Nothing is started where the ingress could not listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = dev("--port", str(port), "--admin-port", "0")
        assert run.end() == 1
    assert (
        f"Port {port} is taken: end what listens there, or choose another one with"
        " --port." == run.output.strip()
    )


def test_a_signal_during_the_start_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Whoever changes their mind while Kafka starts gets exit 0 and an empty disk."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = processes.Dev(_ANY, tmp_path, environ={"TMPDIR": str(scratch)})
    try:
        run.until_output("starting Kafka")
        assert run.end(signal.SIGTERM) == 0, run.output
    finally:
        run.kill()
    assert "Traceback" not in run.output
    assert list(scratch.iterdir()) == []


def test_nothing_outlives_a_killed_dev(dev: conftest.Start) -> None:
    """After SIGKILL no child process and no temporary file is left."""
    run = dev(*_ANY, "--no-traffic")
    run.until_output("Ctrl-C ends everything")
    children = psutil.Process(run.pid).children(recursive=True)
    config = pathlib.Path(run.fact("config").partition(" ")[0])
    assert config.exists()
    assert len(children) >= 2
    run.kill()
    _, left = psutil.wait_procs(children, timeout=20)
    assert left == []
    assert not config.parent.exists()


def test_a_second_signal_ends_what_does_not_drain(dev: conftest.Start) -> None:
    """A request that never ends keeps nobody waiting who asks twice."""
    run = dev(*_ANY, "--no-traffic")
    run.until_output("Ctrl-C ends everything")
    children = psutil.Process(run.pid).children(recursive=True)
    config = pathlib.Path(run.fact("config").partition(" ")[0])
    host, _, port = run.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(
            b"POST /webhooks/idbeyond HTTP/1.1\r\nHost: ingress\r\n"
            b"X-Verification-Signature: " + b"0" * 64 + b"\r\n"
            b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"
        )
        # Now it is being handled, and nobody takes the connection for an idle one.
        assert slow.recv(100).startswith(b"HTTP/1.1 100")
        slow.sendall(b"{")
        psutil.Process(run.pid).send_signal(signal.SIGINT)
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process(run.pid).wait(2)
        assert run.end(signal.SIGINT) == 130
    _, left = psutil.wait_procs(children, timeout=20)
    assert left == []
    assert not config.parent.exists()


def test_a_file_s_sources_replace_the_sample_ones(
    dev: conftest.Start, tmp_path: pathlib.Path
) -> None:
    """With --config its sources are served, and nothing else of it or of outside."""
    config = tmp_path / "ours.toml"
    config.write_text(
        '[kafka]\nbootstrap_servers = "127.0.0.1:1"\n'
        '[sources.ours]\nprovider = "idbeyond"\nenvironment = "test"\n'
        'api_key = "env:OUR_KEY"\nhmac_secrets = ["env:OUR_SECRET"]\n'
    )
    outside = {
        "OUR_KEY": "sk_test_planted",
        "OUR_SECRET": "planted-for-this-test-only",
        "KYC_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    run = dev(*_ANY, "--config", str(config), environ=outside)
    run.until_output("Ctrl-C ends everything")
    assert run.fact("sources") == "ours"
    session_id = str(uuid.uuid4())
    body = orjson.dumps(
        {
            "event": "verification.completed",
            "verificationSessionId": session_id,
            "decision": "approved",
            "reviewStatus": "approved",
        }
    )
    signature = _SCHEME.sign(outside["OUR_SECRET"].encode(), body)
    _post(f"{run.url}/webhooks/ours", body, {_SCHEME.header: signature})
    run.until(lambda: run.decisions, "the decision")
    [decision] = run.decisions
    assert (decision["source"], decision["session_id"], decision["outcome"]) == (
        "ours",
        session_id,
        "approved",
    )
    assert run.end(signal.SIGTERM) == 0
    assert "planted" not in run.output


def _sent_as_by_curl(line: str) -> tuple[bytes, dict[str, str]]:
    """Send what a shell would have curl send; not every machine has curl."""
    program, show, way, method, url, *rest = shlex.split(line)
    assert (program, show, way, method) == ("curl", "-sS", "-X", "POST")
    options = list(zip(rest[::2], rest[1::2], strict=True))
    headers = dict(value.split(": ", 1) for name, value in options if name == "-H")
    [body] = [value.encode() for name, value in options if name == "--data-raw"]
    return body, _post(url, body, headers)


def _post(url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(url, body, headers)  # noqa: S310 -- loopback
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=30) as response:
        answer: dict[str, str] = orjson.loads(response.read())
    return answer


def _no_traceback(run: processes.Dev, data: pathlib.Path) -> None:
    assert "Traceback" not in run.output
    logs = {path.name: path.read_text() for path in (data / "logs").iterdir()}
    assert {"dev.log", "ingress.log"} < set(logs)
    assert [name for name, text in logs.items() if "Traceback" in text] == []
