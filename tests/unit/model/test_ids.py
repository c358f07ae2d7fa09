"""Ids: RFC 9562's own, whichever way they are made."""

import random
import uuid

import pytest

from worker import model


@pytest.mark.parametrize("name", ["kyc:idnow_de:tx-1:{}", "kyc:naïve:ключ:{}", "{}"])
def test_an_id_is_the_uuid_of_its_name(name: str) -> None:
    """Others compute ids as well: whatever its bits are, it is of version 5."""
    for number in range(100):
        found = name.format(number)
        assert str(uuid.uuid5(uuid.NAMESPACE_URL, found)) == model.deterministic_id(
            found
        )


def test_a_new_id_is_of_version_4_and_nobody_elses() -> None:
    """Also where somebody seeds the generator that everybody shares."""
    made = []
    for _ in range(100):
        random.seed(1)
        made.append(model.random_id())
    assert len(made) == len(set(made))
    for each in map(uuid.UUID, made):
        assert each.version == 4
        assert each.variant == uuid.RFC_4122
    assert made == [str(uuid.UUID(each)) for each in made]
