"""Add Acme to the registry: ``pytest -p tests.support.providers.acme.plugin``."""

import sys
import types

from tests.support.providers import acme
from tests.support.providers.acme import simulator
from worker import providers

# What the one line in the registry, and the file of the simulator, would do.
providers.REGISTRY = types.MappingProxyType(
    {**providers.REGISTRY, acme.ENTRY.name: acme.ENTRY}
)
sys.modules["worker.devkit.simulators.acme"] = simulator
