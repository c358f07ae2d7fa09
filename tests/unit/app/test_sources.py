"""What is allowed and probably not meant is told, once."""

import pathlib

import pytest

from worker import errors, settings
from worker.app import sources

_TEXT = """
[sources.one]
provider = "biometric"
environment = "test"
flow_api_key = "a-key"
url_secrets = ["{0}"]
{1}
"""
_PROXY = 'proxy = "http://user:planted-password@proxy.example.com:3128"'


def _warnings(folder: pathlib.Path, line: str) -> list[str]:
    path = folder / "kyc.toml"
    path.write_text(_TEXT.format("s" * 32, line))
    return sources.warnings(sources.load(str(path), settings.Role.WORKER))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_is_not_used_is_told(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The sentence names the variable and the setting, and nothing of its value."""
    for each in sources._PROXY_VARIABLES:
        monkeypatch.delenv(each, raising=False)
    assert _warnings(tmp_path, "") == []
    monkeypatch.setenv(name, "http://user:planted-password@proxy.example.com")
    [found] = _warnings(tmp_path, "")

    assert found.startswith(f"{name} is set and not used")
    assert f'set sources.one.proxy = "env:{name}"' in found
    assert "planted" not in found
    assert _warnings(tmp_path, _PROXY) == []
    assert _warnings(tmp_path, f'proxy = "env:{name}"') == []


@pytest.mark.parametrize(
    "url",
    ["socks5://proxy:1080", "proxy:3128", "http://proxy/path", "http://", "http://p?x"],
)
def test_what_is_no_proxy_is_refused(tmp_path: pathlib.Path, url: str) -> None:
    """Before the start, with the key's name and without the URL."""
    with pytest.raises(errors.ConfigurationError) as caught:
        _warnings(tmp_path, f'proxy = "{url}"')
    [problem] = caught.value.problems

    assert problem.startswith("sources.one.proxy must be")
    assert url not in problem
