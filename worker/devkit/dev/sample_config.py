"""Make up the sample sources: one account a provider, with secrets of its own."""

import secrets
from typing import Any

from worker.devkit.dev import demo_credentials

#: The source whose signed callback is the verdict.
SIGNED = "idbeyond"
#: The source that asks id beyond for its results instead.
FETCHED = "idbeyond_fetch"
#: One source for each provider.
EACH = (SIGNED, "identomat", "idnow", "biometric")

#: Until the simulated providers listen.
_NOWHERE = "http://127.0.0.1:1"
# A person watches: what takes minutes in earnest takes a moment here.
_QUICK: dict[str, Any] = {
    "environment": "test",
    "base_url": _NOWHERE,
    "return_origins": [demo_credentials.ORIGIN],
    "retry": {"initial_delay": "200ms", "max_delay": "5s"},
    "not_ready": {"initial_delay": "200ms", "max_delay": "2s"},
    "recheck_pending": ["2s", "5s", "15s", "1m", "10m"],
    "recheck_min_interval": "1s",
    "circuit": {"failure_threshold": 20, "open_for": "2s"},
    "not_found": {"attempts": 5, "within": "15m", "per_minute": 600},
}


def tables() -> dict[str, dict[str, Any]]:
    """Return the table of each sample source; the secrets are new at every call."""
    made: dict[str, dict[str, Any]] = {
        SIGNED: {
            "provider": "idbeyond",
            "api_key": _secret(),
            "hmac_secrets": [_secret()],
        },
        FETCHED: {
            "provider": "idbeyond",
            "result": "fetch",
            "api_key": _secret(),
            "hmac_secrets": [_secret()],
        },
        "identomat": {
            "provider": "identomat",
            "company_key": _secret(),
            "secret_key": _secret(),
            "callback_api_keys": [_secret()],
            "url_secrets": [_secret()],
            "otp_messages": "discard",
        },
        "idnow": {
            "provider": "idnow",
            "company_id": "sample",
            "api_key": _secret(),
            "url_secrets": [_secret()],
            "reference_field": "custom1",
            "list_interval": "1s",
        },
        "biometric": {
            "provider": "biometric",
            "flow_api_key": _secret(),
            "url_secrets": [_secret()],
        },
    }
    return {name: {**_QUICK, **table} for name, table in made.items()}


def _secret() -> str:
    return secrets.token_urlsafe(32)
