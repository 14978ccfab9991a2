import numpy as np
import pytest

from models.errors import DataError
from models.types import Modality
from service.catalog.catalog import Catalog
from service.catalog.database import sqlite_url
from service.catalog.records import Draft, Embedding, SpaceRef

SPACE = SpaceRef("av", "f00d", (Modality.AUDIO, Modality.VIDEO), 3)
OTHER = SpaceRef("song", "beef", (Modality.AUDIO,), 2)


def draft(number, modality, *embeddings):
    return Draft(
        id=f"{number:020x}",
        modality=modality,
        sha256=f"{number:064x}",
        media_type="a/b",
        suffix=".x",
        bytes=1,
        title="t",
        metadata={},
        label=None,
        work_id=None,
        embeddings=embeddings,
    )


def at(number, dimension=3):
    return Embedding(np.full(dimension, number / 3, np.float32), 0.25)


@pytest.fixture
def catalog(tmp_path):
    catalog = Catalog(sqlite_url(tmp_path / "catalog.sqlite3"))
    catalog.insert(
        [
            draft(1, Modality.AUDIO, (SPACE, at(1)), (OTHER, at(1, 2))),
            draft(2, Modality.VIDEO, (SPACE, at(2))),
            draft(3, Modality.AUDIO, (SPACE, at(3))),
            draft(4, Modality.LYRICS),
        ]
    )
    yield catalog
    catalog.close()


def test_a_vector_comes_back_bit_by_bit(catalog):
    found = catalog.embeddings.get(3, "av")
    assert found.vector.dtype == np.float32
    assert np.array_equal(found.vector, at(3).vector)
    assert found.typicality == 0.25
    found.vector[0] = 9  # a copy of its own, not a view of the database's bytes


def test_an_item_may_lie_in_several_spaces_or_none(catalog):
    assert catalog.embeddings.get(1, "song").vector.shape == (2,)
    assert catalog.embeddings.get(4, "av") is None


def test_numbers_are_those_of_one_modality_in_one_space(catalog):
    assert catalog.embeddings.numbers("av", Modality.AUDIO).tolist() == [1, 3]
    assert catalog.embeddings.numbers("song", Modality.AUDIO).tolist() == [1]
    assert catalog.embeddings.numbers("song", Modality.VIDEO).tolist() == []


def test_vectors_of_many_items_come_in_runs(tmp_path):
    catalog = Catalog(sqlite_url(tmp_path / "many.sqlite3"))
    catalog.insert([draft(n, Modality.AUDIO, (SPACE, at(n))) for n in range(1, 2001)])
    runs = list(catalog.embeddings.vectors("av", range(1, 2001)))
    catalog.close()
    assert len(runs) > 1
    numbers = np.concatenate([run[0] for run in runs])
    vectors = np.concatenate([run[1] for run in runs])
    assert sorted(numbers.tolist()) == list(range(1, 2001))
    assert np.array_equal(vectors[:, 0], (numbers / 3).astype(np.float32))


def test_items_without_a_vector_are_left_out(catalog):
    assert list(catalog.embeddings.vectors("av", [4, 99])) == []


def test_fingerprints_are_counted(catalog):
    assert catalog.embeddings.fingerprints("av") == {"f00d": 3}
    assert catalog.embeddings.fingerprints("none") == {}


def test_replace_changes_one_space_only(catalog):
    newer = SpaceRef("av", "cafe", SPACE.modalities, 4)
    rows = ((number, at(10 * number, 4)) for number in (1, 2))
    assert catalog.embeddings.replace(newer, rows) == 2
    assert catalog.embeddings.fingerprints("av") == {"cafe": 2}
    assert catalog.embeddings.fingerprints("song") == {"beef": 1}
    assert np.array_equal(catalog.embeddings.get(2, "av").vector, at(20, 4).vector)
    assert catalog.embeddings.get(3, "av") is None


@pytest.mark.parametrize("numbers", [[1, 99], [1, 1]], ids=["no such item", "twice"])
def test_a_replacement_that_does_not_fit_keeps_the_old_embeddings(catalog, numbers):
    with pytest.raises(DataError, match="the old embeddings are kept"):
        catalog.embeddings.replace(SPACE, [(number, at(7)) for number in numbers])
    assert catalog.embeddings.numbers("av", Modality.AUDIO).tolist() == [1, 3]
    assert np.array_equal(catalog.embeddings.get(1, "av").vector, at(1).vector)


def test_a_replacement_that_fails_half_way_keeps_the_old_embeddings(catalog):
    def rows():
        yield 1, at(7)
        raise RuntimeError("decoder gone")

    with pytest.raises(RuntimeError, match="decoder gone"):
        catalog.embeddings.replace(SPACE, rows())
    assert catalog.embeddings.fingerprints("av") == {"f00d": 3}
