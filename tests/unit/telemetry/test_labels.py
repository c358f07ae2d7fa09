"""The words of labels, held to those who use them."""

import typing
from collections.abc import Iterator

from worker import errors
from worker.settings import sources
from worker.telemetry import labels


def subclasses(root: type) -> Iterator[type]:
    """Yield *root* and every class below it."""
    yield root
    children: list[type] = root.__subclasses__()
    for child in children:
        yield from subclasses(child)


def reasons(root: type[errors.KycError]) -> set[str]:
    """Return the reasons of *root* and of every class below it in our errors."""
    return {
        one.__dict__["reason"]
        for one in subclasses(root)
        if one.__module__.startswith(errors.__name__) and "reason" in one.__dict__
    }


def test_labels_are_the_words_of_those_who_use_them() -> None:
    """Words that stand in two places are the same in both."""
    assert {word.value for word in labels.Authenticator} == set(
        typing.get_args(sources.Authenticator)
    )
    assert {word.value for word in labels.FetchResult} == {
        "success",
        *reasons(errors.FetchError),
    }
    assert {word.value for word in labels.PartitionFailure} == {
        "other",
        *reasons(errors.TransportError),
    }


def test_an_unforeseen_failure_of_a_partition_is_other() -> None:
    """A class name is no label."""
    assert labels.PartitionFailure.of("ZeroDivisionError") == "other"
    assert labels.PartitionFailure.of("commit_in_doubt") == "commit_in_doubt"
