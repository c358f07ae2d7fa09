"""What every test may have: a clean environment, Kafka, and topics of its own."""

import contextlib
import os
import uuid
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support import kafka_timeouts as profiles
from worker.devkit import broker
from worker.devkit.broker import jars, startup_cache

_EXISTING = "KAFKA_BOOTSTRAP_SERVERS"

# The suite tries the same examples in every run: a change is judged by what it
# changed. `make nightly` searches with new ones (--hypothesis-profile=search).
# A busy machine is no failure: only pytest's own time limit ends a test.
for _profile, _repeatable in (("suite", True), ("search", False)):
    hypothesis.settings.register_profile(
        _profile,
        deadline=None,
        derandomize=_repeatable,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the soak and the faults run in full."""
    parser.addoption("--soak-full", action="store_true", help="20,000 callbacks")
    parser.addoption(
        "--full-length",
        action="store_true",
        help="faults with the default times of the worker and of Kafka",
    )


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> profiles.Times:
    """Return how long Kafka's times are in this run."""
    full = pytestconfig.getoption("--full-length")
    return profiles.FULL if full else profiles.SHORT


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("KYC_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def kafka(times: profiles.Times) -> Iterator[str]:
    """Yield the address of the one broker that all tests of a run share."""
    if existing := os.environ.get(_EXISTING):
        yield existing
        return
    cluster = broker.Cluster(properties=times.broker_properties)
    reason = None
    try:
        cluster.start_sync()
    except broker.BrokerError as error:
        reason = str(error)
    if reason:
        pytest.fail(f"Tests that need Kafka cannot run. {reason}", pytrace=False)
    try:
        yield cluster.bootstrap_servers
    finally:
        cluster.stop_sync()


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix for topics, groups and ids that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the broker's jars before the first test, outside of its time limit."""
    if session.config.option.collectonly or not any(
        item.get_closest_marker("kafka") for item in session.items
    ):
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    uncaptured = capture.global_and_fixture_disabled if capture else None
    # Without them each test fails by itself and says why.
    with (
        contextlib.suppress(broker.BrokerError),
        uncaptured() if uncaptured else contextlib.nullcontext(),
    ):
        jars.ensure()
        startup_cache.ensure()
