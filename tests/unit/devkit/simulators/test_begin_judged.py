"""What the simulated providers refuse to begin."""

from typing import Any

import pytest

from tests.support import provider_harness

_KEYS = {
    "biometric": {"api_key": "synthetic-flow-key"},
    "identomat": {"company_key": "synthetic-company-key"},
}
_PATHS = {
    "biometric": "/api/v1/flows/session/create/",
    "identomat": "/external-api/begin/",
}
_BOTH = pytest.mark.parametrize("name", sorted(_KEYS))


async def _refused(stage: provider_harness.Stage, **fields: object) -> tuple[int, Any]:
    """Begin with no more than a key and *fields*; return status and document."""
    body = _KEYS[stage.name] | fields
    path = stage.url + _PATHS[stage.name]
    async with stage.http.post(path, json=body) as response:
        return response.status, await response.json()


@pytest.fixture(autouse=True)
def _unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the companies of these tests have no secret key."""
    monkeypatch.delitem(provider_harness.SETTINGS["identomat"], "secret_key")


@_BOTH
async def test_a_begin_needs_its_key(stage: provider_harness.Stage, name: str) -> None:
    """A wrong key begins nothing."""
    status, _ = await _refused(stage, **dict.fromkeys(_KEYS[name], "another"))

    assert status in (401, 403)
    assert list(stage.simulator.sessions()) == []


@_BOTH
async def test_a_begin_without_more_is_begun(stage: provider_harness.Stage) -> None:
    """The key is all that is required."""
    status, _ = await _refused(stage)

    assert status == 200
    assert [held.standing for held in stage.simulator.sessions()] == ["begun"]


@pytest.mark.parametrize("name", ["identomat"])
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"flags": []}, ["flags"]),
        ({"steps": {}}, ["steps"]),
        ({"config_id": 7}, ["config_id"]),
        ({"flags": {"liveness": "true"}}, ["flags.liveness"]),
        (
            {"flags": {"skip_face": 1, "language": 1}},
            ["flags.skip_face", "flags.language"],
        ),
        ({"flags": {"document_types": "id", "new": 1}}, ["flags.document_types"]),
        ({"flags": {"return_url": None}}, ["flags.return_url"]),
    ],
)
async def test_identomat_refuses_wrong_types(
    stage: provider_harness.Stage, fields: dict[str, Any], wrong: list[str]
) -> None:
    """By the guide's list of flags; those beyond it pass."""
    status, found = await _refused(stage, **fields)

    assert status == 400
    assert list(found["errors"]) == wrong
    assert list(stage.simulator.sessions()) == []


@pytest.mark.parametrize("name", ["identomat"])
async def test_identomat_takes_a_form(stage: provider_harness.Stage) -> None:
    """Then flags are a JSON text, and the way back is found in it all the same."""
    form = {
        "company_key": "synthetic-company-key",
        "flags": '{"return_url": "https://a"}',
    }
    path = stage.url + _PATHS["identomat"]
    async with stage.http.post(path, data=form) as response:
        token = await response.json()
    async with stage.http.get(path, params=form | {"flags": "{"}) as response:
        assert response.status == 400

    assert stage.simulator.held(token).return_url == "https://a"


_ENTRY = {"value": "123456789012", "changeable": False}


@pytest.mark.parametrize("name", ["biometric"])
@pytest.mark.parametrize(
    ("metadata", "wrong"),
    [
        ([], ["metadata"]),
        ({"face2face": []}, ["metadata.face2face"]),
        ({"face2face": {"photo1": "?"}}, ["metadata.face2face.photo1"]),
        ({"face2face": {"photo1": 7}}, ["metadata.face2face.photo1"]),
        (
            {"general": {"interchangeable_tech": "F2F"}},
            ["metadata.general.interchangeable_tech"],
        ),
        ({"edocument": {"iin": "1"}}, ["metadata.edocument.iin"]),
        ({"edocument": {"skip_input": "yes"}}, ["metadata.edocument.skip_input"]),
        (
            {"edocument": {"iin": {"value": 1, "changeable": 1}}},
            ["metadata.edocument.iin.value", "metadata.edocument.iin.changeable"],
        ),
        (
            {"edocument": {"iin": _ENTRY, "skip_input": True}},
            ["metadata.edocument.phone.value", "metadata.edocument.phone.changeable"],
        ),
    ],
)
async def test_biometric_refuses_metadata_beside_its_guide(
    stage: provider_harness.Stage, metadata: object, wrong: list[str]
) -> None:
    """Types, and the three conditions to skip the input."""
    status, found = await _refused(stage, metadata=metadata)

    assert status == 400
    assert list(found) == wrong
    assert list(stage.simulator.sessions()) == []


@pytest.mark.parametrize("name", ["biometric"])
async def test_biometric_takes_the_documented_cases(
    stage: provider_harness.Stage,
) -> None:
    """Input is skipped where nothing is left to enter."""
    document = {"iin": _ENTRY, "phone": _ENTRY, "skip_input": True}
    photo = {"photo1": "YQ=="}
    metadata = {"edocument": document, "face2face": photo}
    status, found = await _refused(stage, metadata=metadata)

    assert status == 200
    assert found["technologies"] == ["LDHP"]
