"""The table of Kafka."""

import pathlib
import ssl

import pytest

from tests.unit.settings import kit
from worker import settings

SINGLE = 'durability = "single-broker"\n'


def kafka_problems(desk: kit.Desk, lines: str, **environ: str) -> list[str]:
    """Return what is wrong with a ``[kafka]`` table of *lines*."""
    return desk.problems(f"[kafka]\n{lines}", **environ)


def test_the_defaults_are_the_safe_ones() -> None:
    """Three copies, two of them in sync, and times in the order that Kafka needs."""
    kafka = settings.Kafka()

    assert (
        kafka.partitions,
        kafka.replication_factor,
        kafka.min_insync_replicas,
    ) == (24, 3, 2)
    assert (
        kafka.heartbeat_interval,
        kafka.session_timeout,
        kafka.rebalance_timeout,
        kafka.request_timeout,
    ) == (1_000, 10_000, 20_000, 40_000)
    assert (kafka.commit_deadline, kafka.transaction_timeout) == (20_000, 30_000)
    assert list(kafka.conflicts()) == []


def test_names_follow_the_prefix(desk: kit.Desk) -> None:
    """Topics and the group's default begin with the prefix."""
    kafka = desk.load('[kafka]\ntopic_prefix = "acme.kyc"').kafka

    assert (
        kafka.topic("events"),
        kafka.group_id,
    ) == ("acme.kyc.events", "acme.kyc.worker")


def test_a_group_may_have_another_name(desk: kit.Desk) -> None:
    """The default gives way to what is set."""
    assert desk.load('[kafka]\ngroup_id = "g"').kafka.group_id == "g"


def test_a_single_broker_keeps_one_copy(desk: kit.Desk) -> None:
    """Less durability needs the word for it, and then needs nothing else."""
    kafka = desk.load("[kafka]\n" + SINGLE).kafka

    assert (kafka.replication_factor, kafka.min_insync_replicas) == (1, 1)


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("replication_factor = 2", "kafka.replication_factor"),
        ("replication_factor = 1", "kafka.replication_factor"),
        ("min_insync_replicas = 1", "kafka.min_insync_replicas"),
        ("min_insync_replicas = 3", "kafka.min_insync_replicas"),
        (SINGLE + "min_insync_replicas = 2", "kafka.min_insync_replicas"),
        ('topic_prefix = "a b"', "kafka.topic_prefix"),
        ("partitions = 0", "kafka.partitions"),
        ('bootstrap_servers = "localhost"', "kafka.bootstrap_servers"),
        ('bootstrap_servers = "a:9092,"', "kafka.bootstrap_servers"),
        ('bootstrap_servers = "a:99999"', "kafka.bootstrap_servers"),
        ('bootstrap_servers = "kafka://a:9092"', "kafka.bootstrap_servers"),
        ('session_timeout = "20s"', "kafka.session_timeout"),
        ('rebalance_timeout = "40s"', "kafka.rebalance_timeout"),
        ('commit_deadline = "30s"', "kafka.commit_deadline"),
        ('heartbeat_interval = "4s"', "kafka.heartbeat_interval"),
    ],
)
def test_one_wrong_setting_is_one_problem(desk: kit.Desk, lines: str, key: str) -> None:
    """Each contradiction is told once, with the key to change."""
    (problem,) = kafka_problems(desk, lines)

    assert problem.startswith(key + " ")


def test_a_conflict_with_a_wrong_value_is_not_told_twice(desk: kit.Desk) -> None:
    """What follows from a value that is refused anyway is no problem of its own."""
    (problem,) = kafka_problems(
        desk, 'session_timeout = "x"\nheartbeat_interval = "9s"'
    )

    assert problem.startswith("kafka.session_timeout must be a duration")


def test_a_plain_client_needs_an_address_and_no_more() -> None:
    """Without security there is no context and no password."""
    arguments = settings.Kafka().client_args()

    assert arguments == {
        "bootstrap_servers": "127.0.0.1:9092",
        "client_id": "kyc-worker",
        "security_protocol": "PLAINTEXT",
    }


def test_a_client_logs_in(desk: kit.Desk) -> None:
    """SASL over TLS: the password is revealed to the client and to nobody else."""
    kafka = desk.load(
        '[kafka]\nbootstrap_servers = "a:9092, b:9092"\n'
        'security_protocol = "SASL_SSL"\nsasl_mechanism = "SCRAM-SHA-512"\n'
        'sasl_username = "kyc"\nsasl_password = "env:PASSWORD"',
        PASSWORD="MARKER",
    ).kafka
    arguments = kafka.client_args()

    assert arguments["bootstrap_servers"] == "a:9092,b:9092"
    assert arguments["security_protocol"] == "SASL_SSL"
    assert (
        arguments["sasl_mechanism"],
        arguments["sasl_plain_username"],
        arguments["sasl_plain_password"],
    ) == ("SCRAM-SHA-512", "kyc", "MARKER")
    assert arguments["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    assert arguments["ssl_context"].check_hostname
    assert "MARKER" not in repr(kafka)


def test_sasl_without_tls_has_no_context(desk: kit.Desk) -> None:
    """SASL_PLAINTEXT logs in over a plain connection."""
    kafka = desk.load(
        '[kafka]\nsecurity_protocol = "SASL_PLAINTEXT"\nsasl_mechanism = "PLAIN"\n'
        'sasl_username = "kyc"\nsasl_password = "p"'
    ).kafka

    assert "ssl_context" not in kafka.client_args()


def test_a_login_is_whole_or_not_there(desk: kit.Desk) -> None:
    """Each missing part of a login is named, and so is a login that nobody uses."""
    missing = kafka_problems(desk, 'security_protocol = "SASL_SSL"')
    unused = kafka_problems(desk, 'sasl_username = "kyc"\nssl_cafile = "/ca"')

    assert missing == [
        "kafka.sasl_mechanism is missing: SASL_SSL requires it.",
        "kafka.sasl_username is missing: SASL_SSL requires it.",
        "kafka.sasl_password is missing: SASL_SSL requires it.",
    ]
    assert [problem.partition(",")[0] for problem in unused] == [
        "kafka.sasl_username is set",
        "kafka.ssl_cafile is set",
    ]


def test_certificates_are_read_at_the_start(
    desk: kit.Desk, tmp_path: pathlib.Path
) -> None:
    """Files that cannot be used are problems of the configuration, not crashes."""
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("MARKER")
    tls = 'security_protocol = "SSL"\n'

    authorities = kafka_problems(desk, f'{tls}ssl_cafile = "{rubbish}"')
    missing = kafka_problems(desk, f'{tls}ssl_cafile = "/no/such/file"')
    own = kafka_problems(desk, f'{tls}ssl_certfile = "{rubbish}"')
    half = kafka_problems(desk, f'{tls}ssl_keyfile = "{rubbish}"')

    assert missing == ["kafka.ssl_cafile names no readable file of PEM certificates."]
    assert missing == authorities
    assert own[0].startswith("kafka.ssl_certfile cannot be used")
    assert half == ["kafka.ssl_certfile is missing: ssl_keyfile requires it."]


def test_times_are_longer_than_a_controller_needs() -> None:
    """A broker's end takes its controller 9 s to see: commits outlast it."""
    assert settings.Kafka().commit_deadline > 9_000
