"""IDnow: what may be configured, and what may not."""

from typing import Any

import pydantic
import pytest

from worker import clock as clocks
from worker.providers import idnow


def _adapter(**settings: object) -> idnow.Adapter:
    given = {"environment": "test", "company_id": "ihrebank", "api_key": "synthetic"}
    return idnow.Adapter(
        "idnow", idnow.Settings.model_validate(given | settings), clocks.SystemClock()
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"company_id": ""},
        {"company_id": "a/b"},
        {"company_id": ".."},
        {"company_id": "."},
        {"company_id": ".bank"},
        {"company_id": "a%2fb"},
        {"company_id": "a\n"},
        {"company_id": "b\u00e4nk"},
        {"api_key": ""},
        {"api_key": "a\nb"},
        {"product": "video"},
        {"reference_field": "custom6"},
        {"reference_field": "email"},
        {"list_interval": 0},
        {"max_list_bytes": 0},
        {"environment": "live", "base_url": "https://gateway.test.idnow.de"},
        {"environment": "live", "base_url": "https://test.idnow.de"},
        {"environment": "live", "base_url": "https://GATEWAY.TEST.IDNOW.DE:443"},
    ],
)
def test_bad_settings_are_refused(changes: dict[str, Any]) -> None:
    """No other path, no other product, and no live source at the test host."""
    with pytest.raises(pydantic.ValidationError):
        _adapter(**changes)


def test_hosts_are_settings() -> None:
    """Live and test hosts are accepted where they belong."""
    for environment, host in (
        ("live", "gateway.idnow.de"),
        ("live", "gateway.online-ident.ch"),
        ("live", "gateway.contest.idnow.de"),
        ("test", "gateway.test.idnow.de"),
    ):
        settings = idnow.Settings.model_validate(
            {
                "environment": environment,
                "company_id": "ihrebank",
                "api_key": "k",
                "base_url": f"https://{host}",
            }
        )
        assert settings.base_url == f"https://{host}"
        assert settings.default_authenticate == ("signed_url",)
