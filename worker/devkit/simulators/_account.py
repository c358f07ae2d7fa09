"""Hold the company's account as the simulated provider knows it."""

import dataclasses

from worker import signing
from worker.settings import sources, types

_FORGED = "forged"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One source, seen from the other side: the same credentials, the same URL."""

    source: str
    settings: sources.Source = dataclasses.field(repr=False)

    def text(self, field: str) -> str | None:
        """Return the setting *field* as text, the first of a list, secrets revealed."""
        value = getattr(self.settings, field, None)
        if isinstance(value, tuple):
            value = value[0] if value else None
        if isinstance(value, types.Secret):
            return value.reveal()
        return value if isinstance(value, str) else None

    def webhook_path(self, *, forged: bool = False) -> str:
        """Return the path that was pasted into the provider's dashboard."""
        path = f"/webhooks/{self.source}"
        if "signed_url" not in self.settings.authenticators:
            return path
        token = signing.derive_url_token(
            _FORGED.encode() if forged else self.settings.url_secrets[0].key(),
            self.settings.environment,
            self.source,
        )
        return f"{path}/{token}"
