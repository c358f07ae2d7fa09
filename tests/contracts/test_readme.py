"""The README says what the code does: words, commands, tests, links."""

import importlib
import pathlib
import re
from collections.abc import Iterator

import click
import pytest

from tests.support import schemas
from worker import cli, model, policy, providers, settings
from worker.ingress import answers
from worker.telemetry import catalogue

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "THREAT_MODEL.md", "CHANGELOG.md")


def section(title: str) -> str:
    """Return what stands below the heading *title*, up to the next of its rank."""
    text = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
    (level,) = re.findall(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    _, _, rest = text.partition(f"{level} {title}\n")
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str, head: str) -> list[list[str]]:
    """Return the cells of the table below *title* whose first column is *head*."""
    _, _, table = section(title).partition(f"| {head} |")
    assert table, f"no table {head} below {title}"
    lines = table.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines]


def words(cells: list[str]) -> list[str]:
    """Return the words in code quotes of the first of *cells*."""
    return re.findall(r"`([^`]+)`", cells[0])


# -- settings


def test_the_example_configuration_loads(tmp_path: pathlib.Path) -> None:
    """What the ten minutes show, put together, is a good configuration."""
    blocks = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "kyc.toml"
    path.write_text("\n".join(blocks))
    environment = {
        name: f"{name}-a-secret-of-enough-length"
        for name in re.findall(r'"env:([A-Z_]+)"', path.read_text())
    }

    loaded = settings.load(
        path,
        environment,
        {name: entry.settings_type for name, entry in providers.REGISTRY.items()},
    )

    assert set(providers.REGISTRY) == {one.provider for one in loaded.sources.values()}


# -- words


def test_a_decisions_fields_are_told() -> None:
    """The table has the schema's fields, in its order, and no others."""
    fields = schemas.schema(schemas.Kind.DECISION)["properties"]

    assert list(fields) == [words(row)[0] for row in rows("Subscribe", "field")]


def test_every_reason_is_told() -> None:
    """Each reason stands there once, with its outcome."""
    told = {words(row[1:])[0]: row[0] for row in _reasons()}
    held: dict[str, list[str]] = {}
    for rule in schemas.schema(schemas.Kind.DECISION)["allOf"]:
        if "outcome" in rule["if"]["properties"]:
            outcome = rule["if"]["properties"]["outcome"]["const"]
            for reason in rule["then"]["properties"]["reason"]["enum"]:
                held.setdefault(reason, []).append(outcome)

    assert {r: o[0] if len(o) == 1 else "either" for r, o in held.items()} == told
    assert set(map(str, model.Reason)) == set(told)
    assert len(told) == len(_reasons())


def test_what_may_be_tried_again_is_told() -> None:
    """A rejection is called retryable if its reason is by default."""
    told = {words(row[1:])[0]: row[3] for row in _reasons() if row[0] == "rejected"}

    assert {
        reason: "yes"
        if policy.rejected(model.Reason(reason), status=None).retryable
        else "no"
        for reason in told
    } == told  # fmt: skip -- one condition a line


def test_what_must_not_be_shown_is_marked() -> None:
    """Fraud and screening are marked where they stand, and the others are not."""
    marked = {words(row[1:])[0] for row in _reasons() if "do not show" in row[4]}

    assert {"fraud", "screening_hit"} == marked


def _reasons() -> list[list[str]]:
    return rows("What each reason means", "outcome")


@pytest.mark.parametrize(
    ("head", "vocabulary"),
    [("`next_step`", model.NextStep), ("flag", model.Flag)],
)
def test_every_word_is_told(
    head: str, vocabulary: type[model.NextStep | model.Flag]
) -> None:
    """Each word of a closed vocabulary stands in its table, and no other."""
    told = [words(row)[0] for row in rows("What each reason means", head)]

    assert sorted(vocabulary) == sorted(told)


def test_every_dead_letter_is_told() -> None:
    """Each reason of a dead letter stands in its table."""
    told = [words(row)[0] for row in rows("Dead letters", "reason")]

    assert sorted(model.DeadLetterReason) == sorted(told)


def test_every_answer_is_told() -> None:
    """Each status that the ingress answers with stands in its table, and no other."""
    told = {int(row[0][:3]) for row in rows("Answers and exit codes", "status")}

    assert {200} | {status.value for status, _ in answers._ANSWERS.values()} == told


def test_metrics_exist() -> None:
    """Whatever looks like a metric is one."""
    known = {metric.name for metric in catalogue.CATALOGUE}
    # Names that others see: of a query parameter, and of members of metadata.
    known |= {"kyc_return", "kyc_reference", "kyc_begin_id"}

    assert set(re.findall(r"`(kyc_[a-z_]+)[`{]", README)) <= known


# -- commands, tests, files


def _command(name: str) -> click.Command:
    module = importlib.import_module(f"worker.cli.{cli._COMMANDS[name][0]}")
    command: click.Command = getattr(module, name.replace("-", "_"))
    return command


def _called() -> Iterator[tuple[str, str]]:
    """Yield each command that the documents call, and the rest of its line."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        calls = r"(?:`|^ +)kyc-worker ([a-z][a-z-]*)([^`\n#]*)"
        for match in re.finditer(calls, text, re.MULTILINE):
            yield match[1], match[2]


def test_commands_and_their_options_exist() -> None:
    """Every command line that is printed can be typed."""
    called = list(_called())
    assert {"check", "topics", "url", "ingress", "work"} <= {name for name, _ in called}
    for name, rest in called:
        command = _command(name)
        if isinstance(command, click.Group):
            command = command.commands[rest.split()[0]]
        known = {option for each in command.params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_the_options_of_dev_are_told() -> None:
    """Each option stands in the table of ``make run``, and no other."""
    told = {
        option
        for row in rows("Try it", '`make run ARGS="…"`')
        for option in re.findall(r"--[a-z-]+", row[0])
    }

    assert {each.opts[-1] for each in _command("dev").params} == told


def test_make_targets_exist() -> None:
    """Every target that the documents name is in the Makefile."""
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        named = re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= targets, document


def test_the_tests_that_show_a_promise_exist() -> None:
    """Ten promises, each with tests, and every one of them is there."""
    told = rows("What we promise and how it is tested", "#")
    assert [str(number) for number in range(1, 11)] == [row[0] for row in told]
    for row in told:
        shown = words(row[2:])
        assert shown, row[0]
        for place in shown:
            path, _, name = place.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text(), place


def test_the_example_is_quoted_as_it_is() -> None:
    """The consumer that the README prints is the one that is tested."""
    (quoted,) = re.findall(
        r"<!-- example -->\n```python\n(.*?)```\n", README, re.DOTALL
    )

    assert (ROOT / "examples" / "subscriber.py").read_text() == quoted


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """A link of ours is to a file that exists, or to a heading of the document."""
    text = (ROOT / document).read_text()
    anchors = {
        re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        if path:
            assert (ROOT / path).exists(), target
        else:
            assert anchor in anchors, target
