"""The documents can be read: navigation, links, anchors, named files, commands."""

import pathlib
import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator

import click
import pytest

import worker
from tests.support import metrics_page, pages
from worker import cli
from worker.telemetry import metric_defs

_DOCUMENTS = pages.documents()
_EACH = pytest.mark.parametrize(
    "document", _DOCUMENTS, ids=lambda path: str(path.relative_to(pages.ROOT))
)


def _navigated(entry: object) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case dict():
            for inner in entry.values():
                yield from _navigated(inner)
        case list():
            for inner in entry:
                yield from _navigated(inner)
        case _:
            raise AssertionError(entry)


def test_every_page_is_in_the_navigation() -> None:
    """Each page is there once, and no page that does not exist."""
    site = tomllib.loads((pages.ROOT / "zensical.toml").read_text())["project"]
    there = {str(path.relative_to(pages.SITE)) for path in pages.SITE.rglob("*.md")}
    navigated = list(_navigated(site["nav"]))

    assert sorted(there) == sorted(navigated)


@_EACH
def test_links_resolve(document: pathlib.Path) -> None:
    """A relative link is to a file that exists, its anchor to a heading there."""
    for target, path, anchor in pages.links(document):
        assert path.exists(), target
        assert not anchor or anchor in pages.anchors(path), target


@_EACH
def test_no_two_headings_share_an_anchor(document: pathlib.Path) -> None:
    """A link to a heading is to one heading."""
    if document.name == "CHANGELOG.md":  # its releases repeat their headings
        return
    found = pages.anchors(document)

    assert sorted(set(found)) == sorted(found)


@_EACH
def test_a_list_follows_an_empty_line(document: pathlib.Path) -> None:
    """The site's Markdown makes a list of nothing that continues a paragraph."""
    if not document.is_relative_to(pages.SITE):
        return
    text = pages.prose(document.read_text())

    assert re.findall(r"^[^\s\-\d|#].*\n(?:- |\d+\. ).*", text, re.MULTILINE) == []


def test_pages_link_inside_the_site() -> None:
    """A page of the site links to no file that the site does not have."""
    for document in pages.SITE.rglob("*.md"):
        for target, path, _ in pages.links(document):
            assert path.is_relative_to(pages.SITE), (document.name, target)
            assert path.suffix == ".md", (document.name, target)


@_EACH
def test_named_files_exist(document: pathlib.Path) -> None:
    """A path of this repository that a document names in code quotes is there."""
    tops = "worker|tests|schemas|deploy|examples|docs"
    text = pages.prose(document.read_text())
    for path in re.findall(rf"`((?:{tops})/[\w./-]+)(?:::\w+)?`", text):
        if "acme" not in path:  # the made-up provider of the guide
            assert (pages.ROOT / path).exists(), path


def test_the_site_builds_strictly() -> None:
    """The generator finds nothing to warn of; ``make docs`` makes the same site."""
    tool = pathlib.Path(sysconfig.get_path("scripts")) / "zensical"
    built = subprocess.run(  # noqa: S603 -- our own tool, our own arguments
        [tool, "build", "--strict", "--config-file", "zensical.toml"],
        cwd=pages.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )

    assert built.returncode == 0, built.stdout + built.stderr
    assert (pages.ROOT / "build" / "docs" / "index.html").exists()


def test_the_readme_is_short() -> None:
    """A stranger reads it at once; everything else is a page."""
    assert (pages.ROOT / "README.md").read_text().count("\n") <= 150


def test_the_site_names_its_version() -> None:
    """The first page says which version the site describes."""
    assert f"version {worker.__version__}" in pages.text("index.md")


# -- metrics


def test_the_metrics_are_the_codes_own() -> None:
    """The generated part is as the catalogue has it."""
    page = metrics_page.PAGE.read_text()

    assert metrics_page.rewritten(page) == page, "python -m tests.support.metrics_page"


@_EACH
def test_metrics_exist(document: pathlib.Path) -> None:
    """Whatever looks like a metric is one."""
    known = {metric.name for metric in metric_defs.CATALOGUE}
    # Names that others see: of a query parameter, and of members of metadata.
    known |= {"kyc_return", "kyc_reference", "kyc_begin_id"}
    known |= {"kyc_check"}  # a step of Plaid's
    known |= {"kyc_build_info"}  # which the catalogue leaves out
    if document.name == "CHANGELOG.md":  # names what older releases had
        return

    named = re.findall(r"`(kyc_[a-z_]+)[`{]", document.read_text())

    assert set(named) <= known


# -- commands


def _command(name: str) -> click.Command:
    command = cli.commands.get_command(click.Context(cli.commands), name)
    assert command is not None, name
    return command


def _called() -> Iterator[tuple[str, str]]:
    """Yield each command that the documents call, and the rest of its line."""
    for document in _DOCUMENTS:
        calls = r"(?:`|^ +)kyc-worker ([a-z][a-z-]*)([^`\n#]*)"
        for match in re.finditer(calls, document.read_text(), re.MULTILINE):
            yield match[1], match[2]


def test_commands_and_their_options_exist() -> None:
    """Every command line that is printed can be typed."""
    called = list(_called())
    assert {"check", "topics", "url", "ingress", "worker"} <= {
        name for name, _ in called
    }
    for name, rest in called:
        command = _command(name)
        if isinstance(command, click.Group):
            command = command.commands[rest.split()[0]]
        known = {option for each in command.params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_the_options_of_dev_are_documented() -> None:
    """Each option is in the table of ``make run``, and no other."""
    documented = {
        option
        for row in pages.rows("getting-started.md", '`make run ARGS="…"`')
        for option in re.findall(r"--[a-z-]+", row[0])
    }

    assert {each.opts[-1] for each in _command("dev").params} == documented


@_EACH
def test_make_targets_exist(document: pathlib.Path) -> None:
    """Every target that the documents name is in the Makefile."""
    makefile = (pages.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = document.read_text()
    named = re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)

    assert set(named) <= targets
