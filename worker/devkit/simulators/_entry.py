"""Define a simulator's entry, and find it by the provider's name."""

import dataclasses
import importlib
from collections.abc import Callable, Sequence

from worker import model
from worker.devkit.simulators import _account, _protocol


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorEntry:
    """One simulator: what builds it, and what its usual words mean."""

    build: Callable[[_account.Account], _protocol.Simulator]
    #: the settings of a source that must contain the simulator's address
    addresses: tuple[str, ...]
    #: the reason of its usual rejection
    rejected: model.Reason
    #: the reason of its usual preliminary result
    pending: model.Reason
    #: the reason of a result that is not ready, where that is a result of its own
    unfinished: model.Reason | None = None
    #: rejections of the sample traffic as (status, reason); None: the usual words
    rejections: Sequence[tuple[str | None, str | None]] = ((None, None),)


def find(provider: str) -> SimulatorEntry:
    """
    Return the simulator of *provider*, from ``worker/devkit/simulators/{provider}.py``.

    Raises ModuleNotFoundError where it is missing.
    """
    module = importlib.import_module(f"worker.devkit.simulators.{provider}")
    entry: SimulatorEntry = module.ENTRY
    return entry
