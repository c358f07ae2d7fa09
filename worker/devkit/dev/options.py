"""Hold what ``dev`` was asked for."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The arguments of ``dev``; a port that is None is the usual one."""

    once: bool = False
    port: int | None = None
    admin_port: int | None = None
    api_port: int | None = None
    traffic: bool = True
    workers: int = 1
    data_dir: pathlib.Path | None = None
    config: pathlib.Path | None = None
