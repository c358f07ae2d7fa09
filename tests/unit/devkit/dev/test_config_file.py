"""What all processes of ``dev`` share is written for them alone, and complete."""

import pathlib
import stat

import pytest

from worker import errors, settings
from worker.devkit.dev import config_file, sample_config


def test_the_sample_sources_can_be_used(config: settings.Settings) -> None:
    """Every sample source passes every check of a configuration."""
    assert set(sample_config.tables()) == set(config.sources)
    assert {*sample_config.names(), sample_config.FETCHED} == set(config.sources)
    assert config.kafka.durability == "single-broker"
    assert not config.sources[sample_config.SIGNED].fetches
    assert config.sources[sample_config.FETCHED].fetches


def test_secrets_are_made_anew() -> None:
    """Two runs share no secret, and no two sources of one do."""
    keys = ("api_key", "hmac_secrets", "url_secrets", "company_key", "flow_api_key")
    found = [
        str(table[key])
        for tables in (sample_config.tables(), sample_config.tables())
        for table in tables.values()
        for key in keys
        if key in table
    ]
    assert len(found) == len(set(found))


def test_nobody_else_reads_the_file(tmp_path: pathlib.Path) -> None:
    """It holds secrets: mode 0600, also where it was wider before."""
    path = tmp_path / "kyc.toml"
    path.write_text("")
    path.chmod(0o666)
    config_file.Plan(sources=sample_config.tables(), port=1).write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_real_installation_s_settings_stay_outside(tmp_path: pathlib.Path) -> None:
    """No KYC_ variable sends sample traffic anywhere; a file's sources may be set."""
    path = tmp_path / "kyc.toml"
    config_file.Plan(sources=sample_config.tables(), port=1).write(path)
    outside = {
        "HOME": "/",
        "KYC_KAFKA__BOOTSTRAP_SERVERS": "kafka.example.com:9092",
        "KYC_SOURCES__IDNOW__COMPANY_ID": "other",
    }
    shut = config_file.load(path, outside, own_sources=False)
    assert shut.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert getattr(shut.sources["idnow"], "company_id", None) == "sample"
    own = config_file.load(path, outside, own_sources=True)
    assert own.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert getattr(own.sources["idnow"], "company_id", None) == "other"
    assert config_file.hidden(outside, own_sources=True) == [
        "KYC_KAFKA__BOOTSTRAP_SERVERS"
    ]


@pytest.mark.parametrize("text", ["", "sources = 1", "[sources]", "[kafka]\nx = 1"])
def test_a_file_without_sources_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    """There would be nothing to serve."""
    path = tmp_path / "ours.toml"
    path.write_text(text)
    with pytest.raises(errors.ConfigurationError, match="holds no sources"):
        config_file.sources_of(path)


def test_the_sources_of_a_file_are_taken_as_they_stand(tmp_path: pathlib.Path) -> None:
    """References to secrets stay references; the rest of the file is left out."""
    path = tmp_path / "ours.toml"
    path.write_text('[kafka]\npartitions = 3\n[sources.a]\napi_key = "env:A"\n')
    assert config_file.sources_of(path) == {"a": {"api_key": "env:A"}}
