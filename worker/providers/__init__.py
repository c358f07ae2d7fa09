"""List the providers: a new one is one package and one line here."""

import types

from worker.providers import (
    _entry,
    aiprise,
    biometric,
    didit,
    idbeyond,
    idenfy,
    identomat,
    idnow,
    jumio,
    ondato,
    onfido,
    persona,
    plaid,
    shuftipro,
    stripe,
    sumsub,
    trulioo,
    veriff,
)

ProviderEntry = _entry.ProviderEntry

REGISTRY = types.MappingProxyType(
    {
        entry.name: entry
        for entry in (
            aiprise.ENTRY,
            biometric.ENTRY,
            didit.ENTRY,
            idbeyond.ENTRY,
            idenfy.ENTRY,
            identomat.ENTRY,
            idnow.ENTRY,
            jumio.ENTRY,
            ondato.ENTRY,
            onfido.ENTRY,
            persona.ENTRY,
            plaid.ENTRY,
            shuftipro.ENTRY,
            stripe.ENTRY,
            sumsub.ENTRY,
            trulioo.ENTRY,
            veriff.ENTRY,
        )
    }
)
