"""List the providers: a new one is one package and one line here."""

import types

from worker.providers import (
    _entry,
    biometric,
    idbeyond,
    identomat,
    idnow,
    persona,
    stripe,
)

ProviderEntry = _entry.ProviderEntry

REGISTRY = types.MappingProxyType(
    {
        entry.name: entry
        for entry in (
            biometric.ENTRY,
            idbeyond.ENTRY,
            identomat.ENTRY,
            idnow.ENTRY,
            persona.ENTRY,
            stripe.ENTRY,
        )
    }
)
