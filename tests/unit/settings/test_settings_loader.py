"""Loading: layers, and every problem at once."""

import dataclasses
import pathlib

import pytest

from tests.unit.settings import kit
from worker import errors, settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- the default of both services


def test_nothing_set_is_all_defaults() -> None:
    """Without a file and without variables every section has its defaults."""
    loaded = settings.load(None, {}, kit.SOURCE_TYPES)

    assert settings.Kafka() == loaded.kafka
    assert settings.Ingress() == loaded.ingress
    assert settings.Worker() == loaded.worker
    assert settings.Ledger() == loaded.ledger
    assert dict(loaded.sources) == {}


def test_every_section_is_read(desk: kit.Desk) -> None:
    """What the file says is what the parts get."""
    loaded = desk.load(
        '[kafka]\npartitions = 6\n[ingress]\nack_timeout = "2s"\n'
        '[worker]\nadmin_port = 0\n[ledger]\nsession_retention = "500d"' + kit.SOURCE
    )

    assert loaded.kafka.partitions == 6
    assert loaded.ingress.ack_timeout == 2_000
    assert loaded.worker.admin_port == 0
    assert loaded.ledger.session_retention == 43_200_000_000
    assert isinstance(loaded.sources["one"], kit.Tiny)


def test_the_services_have_the_documented_defaults() -> None:
    """Ports and times that the documentation promises."""
    ingress, worker = settings.Ingress(), settings.Worker()

    assert (ingress.host, ingress.port, ingress.admin_port) == (EVERYWHERE, 8080, 9090)
    assert (
        ingress.ack_timeout,
        ingress.read_timeout,
        ingress.shutdown_timeout,
        ingress.max_in_flight,
    ) == (5_000, 10_000, 30_000, 1000)
    assert (
        worker.host,
        worker.admin_port,
        worker.commit_linger,
    ) == (EVERYWHERE, 9091, 5)


def test_the_file_may_be_named_by_the_environment(desk: kit.Desk) -> None:
    """KYC_CONFIG names the file where nothing else does."""
    desk.load("[kafka]\npartitions = 6")

    loaded = settings.load(None, {"KYC_CONFIG": str(desk.path)}, {})

    assert loaded.kafka.partitions == 6


def test_a_path_given_wins_over_the_environment(desk: kit.Desk) -> None:
    """``--config`` is stronger than KYC_CONFIG."""
    loaded = desk.load("[kafka]\npartitions = 6", KYC_CONFIG="/no/such/file")

    assert loaded.kafka.partitions == 6


def test_the_environment_overrides_the_file(desk: kit.Desk) -> None:
    """Scalars of every type, lists, and keys inside a source's own tables."""
    loaded = desk.load(
        "[kafka]\npartitions = 6\n" + kit.SOURCE,
        KYC_KAFKA__PARTITIONS="7",
        KYC_INGRESS__TRUSTED_PROXIES='["10.0.0.0/8"]',
        KYC_INGRESS__READ_TIMEOUT="1.5s",
        KYC_SOURCES__ONE__RETRY__FACTOR="3.5",
        KYC_SOURCES__ONE__STRICT="true",
        KYC_SOURCES__ONE__API_KEY="from outside",
        KYC_SOURCES__ONE__RECHECK_PENDING='["1m", "2m"]',
        KYC_SOURCES__ONE__URL_SECRETS='["env:SECRET"]',
        SECRET=kit.SECRETS[1],
        OTHER="ignored",
    )
    one = loaded.sources["one"]

    assert loaded.kafka.partitions == 7
    assert [str(net) for net in loaded.ingress.trusted_proxies] == ["10.0.0.0/8"]
    assert loaded.ingress.read_timeout == 1_500
    assert one.retry.factor == 3.5
    assert isinstance(one, kit.Tiny)
    assert one.strict
    assert one.api_key.reveal() == "from outside"
    assert one.recheck_pending == (60_000, 120_000)
    assert kit.SECRETS[1] == one.url_secrets[0].reveal()


def test_a_source_may_come_from_the_environment_alone() -> None:
    """Names with an underscore are kept: two of them part the levels."""
    loaded = settings.load(
        None,
        {
            "KYC_SOURCES__TINY_DE__PROVIDER": "tiny",
            "KYC_SOURCES__TINY_DE__ENVIRONMENT": "live",
            "KYC_SOURCES__TINY_DE__API_KEY": "k",
            "KYC_SOURCES__TINY_DE__URL_SECRETS": f'["{kit.SECRETS[0]}"]',
        },
        kit.SOURCE_TYPES,
    )

    assert list(loaded.sources) == ["tiny_de"]


@pytest.mark.parametrize(
    "name", ["KYC_PARTITIONS", "KYC_", "KYC_KAFKA__", "KYC___X", "KYC_WORKER_PORT"]
)
def test_a_variable_without_section_and_key_is_a_problem(
    desk: kit.Desk, name: str
) -> None:
    """A misspelt variable is as wrong as a misspelt key."""
    (problem,) = desk.problems("", **{name: "MARKER"})

    assert problem.startswith(f"{name} is not a setting")
    assert "MARKER" not in problem


def test_a_variable_of_no_known_key_is_a_problem(desk: kit.Desk) -> None:
    """Unknown sections and keys are told with the variable that set them."""
    problems = desk.problems(
        kit.SOURCE,
        KYC_KAFKA__PARTITION="6",
        KYC_KAFAK__PARTITIONS="6",
        KYC_SOURCES__ONE__API_KEY__X="1",
    )

    assert problems == [
        "KYC_SOURCES__ONE__API_KEY__X sets a key inside a value that is not a table.",
        (
            "kafka.partition (KYC_KAFKA__PARTITION) is not a setting:"
            " use partitions, or remove it."
        ),
        "kafak is not a setting: use kafka, or remove it.",
    ]


@pytest.mark.parametrize(
    "name",
    ["One", "1one", "one-two", "one__two", "_one", "one_", "unknown", "a" * 32, "onë"],
)
def test_a_source_needs_a_plain_name(desk: kit.Desk, name: str) -> None:
    """The name stands in keys, paths and variables; ``unknown`` is the metrics'."""
    (problem,) = desk.problems(kit.SOURCE.replace("sources.one", f'sources."{name}"'))

    assert problem.startswith(f"sources.'{name}' is not a valid name for a source")


def test_a_name_of_31_letters_is_one(desk: kit.Desk) -> None:
    """The bound itself is allowed."""
    name = "a" * 31

    loaded = desk.load(kit.SOURCE.replace("sources.one", f"sources.{name}"))

    assert [name] == list(loaded.sources)


def test_a_source_without_provider_is_told_which_there_are(desk: kit.Desk) -> None:
    """Nothing is guessed from the rest of the table."""
    assert desk.problems("[sources.one]\nenvironment = 'test'") == [
        "sources.one.provider is missing: set it to one of tiny."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kafka = 5", "kafka must be a table."),
        ("sources = 5", "sources must contain one table per source."),
        ("sources.one = 5", "sources.one must be a table."),
        ("other = 5", "other is not a setting: remove it or correct its name."),
    ],
)
def test_what_should_be_a_table_is_told(
    desk: kit.Desk, text: str, problem: str
) -> None:
    """Wrong shapes are problems, not crashes."""
    assert [problem] == desk.problems(text)


def test_memory_outlasts_the_topics(desk: kit.Desk) -> None:
    """Promise 3 holds only while a session is known for longer than its records."""
    problems = desk.problems(
        '[kafka]\ndecisions_retention = "500d"\n[ledger]\nsession_retention = "450d"'
    )

    assert problems == [
        "ledger.session_retention must be longer than kafka.decisions_retention."
    ]


def test_memory_is_at_least_400_days(desk: kit.Desk) -> None:
    """Less is refused whatever the topics keep."""
    assert desk.problems('[ledger]\nsession_retention = "399d"') == [
        "ledger.session_retention must be at least 400d."
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[kafka\n", "is not valid TOML"),
        (b"a = 1\na = 2\n", "is not valid TOML"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_told(
    desk: kit.Desk, content: bytes, found: str
) -> None:
    """The only problem that hides the others."""
    desk.path.write_bytes(content)

    with pytest.raises(errors.ConfigurationError, match=found):
        settings.load(desk.path, {}, {})


def test_a_file_that_is_not_there_is_told(tmp_path: pathlib.Path) -> None:
    """The path is named, and where it comes from."""
    path = tmp_path / "none.toml"

    with pytest.raises(errors.ConfigurationError, match="cannot be read") as caught:
        settings.load(path, {}, {})

    assert str(path) in str(caught.value)


def test_settings_are_frozen(desk: kit.Desk) -> None:
    """Nothing changes after the start, the sources among it."""
    loaded = desk.load()

    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.kafka = settings.Kafka()  # type: ignore[misc] # -- what is tested
    with pytest.raises(TypeError):
        loaded.sources["two"] = loaded.sources["one"]  # type: ignore[index] # -- same


def test_settings_print_no_secret(desk: kit.Desk) -> None:
    """The whole configuration may be printed."""
    shown = repr(desk.load())

    assert kit.SECRETS[0] not in shown
    assert "the key" not in shown


def test_the_process_environment_is_this_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands hand to ``load``."""
    monkeypatch.setenv("SOME_VARIABLE", "x")

    assert settings.process_environment()["SOME_VARIABLE"] == "x"


@pytest.mark.parametrize("other", ["", 'rate_limit = "0/s"\n'])
def test_a_provider_refuses_what_contradicts_itself(desk: kit.Desk, other: str) -> None:
    """What a source says of itself is told, whatever else is wrong with it."""
    problems = desk.source_problems(other + 'concurrency = 1\nlists = ["a", "b"]')

    assert problems[-1] == "sources.one.lists must be shorter."
    assert len(problems) == 1 + bool(other)


def test_what_rests_on_a_wrong_value_is_not_told(desk: kit.Desk) -> None:
    """A source that cannot even be asked has told enough."""
    (problem,) = desk.source_problems('concurrency = "x"\nlists = ["a", "b"]')

    assert problem == "sources.one.concurrency must be a whole number."
