"""What the options of ``begin`` say becomes one object for the provider."""

import pathlib

import click
import pytest

from worker.cli import beginning


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_a_file_of_parameters_is_read(tmp_path: pathlib.Path, mark: bytes) -> None:
    """With the byte order mark of an editor on Windows, too."""
    path = tmp_path / "params.json"
    path.write_bytes(mark + b'{"config_id": "standard"}')

    assert beginning._parameters((), path) == {"config_id": "standard"}


def test_a_file_that_holds_no_object_is_told(tmp_path: pathlib.Path) -> None:
    """By its name, and without what it holds."""
    path = tmp_path / "params.json"
    path.write_bytes(b"[1]")

    with pytest.raises(click.UsageError, match="holds no JSON object"):
        beginning._parameters((), path)
