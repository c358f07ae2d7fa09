"""The pages list what the code has: fields, reasons, statuses, promises, defaults."""

import pathlib
import re
import typing

import pytest

from tests.support import pages, schemas
from worker import model, policy, providers, settings
from worker.ingress import responses
from worker.settings import sources

_NAMES = sorted(providers.REGISTRY)
_DECISIONS = "decisions.md"


def test_a_decisions_fields_are_documented() -> None:
    """The table has the schema's fields, in its order, and no others."""
    fields = schemas.schema(schemas.Kind.DECISION)["properties"]

    documented = [pages.codes(row[0])[0] for row in pages.rows("subscribe.md", "field")]

    assert list(fields) == documented


def test_every_reason_is_documented() -> None:
    """Each reason is there once, with its outcome."""
    documented = {pages.codes(row[1])[0]: row[0] for row in _reasons()}
    allowed: dict[str, list[str]] = {}
    for rule in schemas.schema(schemas.Kind.DECISION)["allOf"]:
        if "outcome" in rule["if"]["properties"]:
            outcome = rule["if"]["properties"]["outcome"]["const"]
            for reason in rule["then"]["properties"]["reason"]["enum"]:
                allowed.setdefault(reason, []).append(outcome)

    assert {
        reason: outcomes[0] if len(outcomes) == 1 else "either"
        for reason, outcomes in allowed.items()
    } == documented
    assert set(map(str, model.Reason)) == set(documented)
    assert len(documented) == len(_reasons())


def test_what_is_retryable_is_documented() -> None:
    """A rejection is called retryable if its reason is by default."""
    documented = {
        pages.codes(row[1])[0]: row[3] for row in _reasons() if row[0] == "rejected"
    }

    assert {
        reason: "yes"
        if policy.rejected(model.Reason(reason), status=None).retryable
        else "no"
        for reason in documented
    } == documented  # fmt: skip -- one condition a line


def test_what_must_not_be_shown_is_marked() -> None:
    """Fraud and screening are marked in their rows, and the others are not."""
    marked = {pages.codes(row[1])[0] for row in _reasons() if "do not show" in row[4]}

    assert {"fraud", "screening_hit"} == marked


def _reasons() -> list[list[str]]:
    return pages.rows(_DECISIONS, "outcome")


@pytest.mark.parametrize(
    ("page", "head", "vocabulary"),
    [
        (_DECISIONS, "`next_step`", model.NextStep),
        (_DECISIONS, "flag", model.Flag),
        (_DECISIONS, "reason", model.DeadLetterReason),
        ("exit-codes.md", "exit code", None),
    ],
)
def test_every_word_is_documented(
    page: str,
    head: str,
    vocabulary: type[model.NextStep | model.Flag | model.DeadLetterReason] | None,
) -> None:
    """Each word of a closed vocabulary is in its table, and no other."""
    rows = pages.rows(page, head)
    if vocabulary is None:
        assert [row[0] for row in rows] == ["0", "1", "2", "130"]
    else:
        assert sorted(vocabulary) == sorted(pages.codes(row[0])[0] for row in rows)


def test_every_answer_of_the_ingress_is_documented() -> None:
    """Each status that the ingress answers with is in its table, and no other."""
    documented = {int(row[0][:3]) for row in pages.rows("webhooks.md", "status")}

    assert {200} | {status.value for status, _ in responses._ANSWERS.values()} == (
        documented
    )


def test_the_tests_that_show_a_promise_exist() -> None:
    """Ten promises, each with tests, and every one of them is there."""
    documented = pages.rows("guarantees.md", "#")
    assert [str(number) for number in range(1, 11)] == [row[0] for row in documented]
    for row in documented:
        shown = pages.codes(row[2])
        assert shown, row[0]
        for place in shown:
            path, _, name = place.partition("::")
            assert f"def {name}(" in (pages.ROOT / path).read_text(), place


def test_the_example_is_quoted_as_it_is() -> None:
    """The consumer that the page prints is the one that is tested."""
    (quoted,) = re.findall(
        r"<!-- example -->\n```python\n(.*?)```\n",
        pages.text("subscribe.md"),
        re.DOTALL,
    )

    assert (pages.ROOT / "examples" / "subscriber.py").read_text() == quoted


@pytest.mark.parametrize("name", _NAMES)
def test_a_provider_has_a_page(name: str) -> None:
    """Each provider has its page, with its configuration and its callbacks."""
    text = pages.text(f"providers/{name}.md")

    assert f'provider = "{name}"' in text


# -- sources


def test_the_authenticators_defaults_are_documented() -> None:
    """Each authenticator is there, with the providers whose default it is."""
    documented = {
        pages.codes(row[0])[0]: pages.codes(row[2])
        for row in pages.rows("webhooks.md", "authenticator")
    }
    defaults = {name: _defaults(name) for name in providers.REGISTRY}

    assert {
        one: [name for name in sorted(defaults) if one in defaults[name]]
        for one in documented
    } == documented
    assert set(typing.get_args(sources.Authenticator)) == set(documented)


def _defaults(name: str) -> tuple[str, ...]:
    # Built unchecked: what a source must have is not at stake here.
    source = providers.REGISTRY[name].settings_type.model_construct()
    return source.default_authenticate


def test_the_example_configuration_loads(tmp_path: pathlib.Path) -> None:
    """What the ten minutes show, put together, is a valid configuration."""
    shown = ["getting-started.md", *(f"providers/{one}.md" for one in _NAMES)]
    blocks = [
        block
        for page in shown
        for block in re.findall(r"```toml\n(.*?)```", pages.text(page), re.DOTALL)
    ]
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
