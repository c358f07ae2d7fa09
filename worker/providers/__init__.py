"""List the providers: a new one is one package and one line here."""

import types

from worker.providers import (
    _entry,
    biometric,
    idbeyond,
    idenfy,
    identomat,
    idnow,
    jumio,
    onfido,
    persona,
    plaid,
    shuftipro,
    stripe,
    sumsub,
    veriff,
)

ProviderEntry = _entry.ProviderEntry

REGISTRY = types.MappingProxyType(
    {
        entry.name: entry
        for entry in (
            biometric.ENTRY,
            idbeyond.ENTRY,
            idenfy.ENTRY,
            identomat.ENTRY,
            idnow.ENTRY,
            jumio.ENTRY,
            onfido.ENTRY,
            persona.ENTRY,
            plaid.ENTRY,
            shuftipro.ENTRY,
            stripe.ENTRY,
            sumsub.ENTRY,
            veriff.ENTRY,
        )
    }
)
