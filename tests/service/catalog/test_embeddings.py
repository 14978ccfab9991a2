import numpy as np
import pytest

from models.errors import DataError
from models.types import Modality
from service.catalog.catalog import Catalog
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
def catalog(catalog_url):
    catalog = Catalog(catalog_url)
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


def test_vectors_of_many_items_come_in_runs(catalog_url):
    catalog = Catalog(catalog_url)
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


def numbers_of(changes):
    return changes.removed.tolist(), changes.placed.tolist()


def test_a_copy_that_follows_the_changes_equals_the_catalog(catalog):
    """Against a dictionary that is changed by hand: any order of adding, deleting, replacing."""
    copy: dict[int, np.ndarray] = {}
    known = 0

    def follow():
        nonlocal known
        changes = catalog.embeddings.changed_since("av", Modality.AUDIO, known)
        for number in changes.removed.tolist():
            copy.pop(number, None)
        for numbers, vectors in catalog.embeddings.blocks("av", Modality.AUDIO, since=known):
            assert set(numbers.tolist()) <= set(changes.placed.tolist())
            copy.update(zip(numbers.tolist(), vectors, strict=True))
        known = changes.sequence

    def check(expected):
        assert catalog.sequence() == known
        assert {number: row.tolist() for number, row in copy.items()} == {
            number: row.tolist() for number, row in expected.items()
        }

    follow()
    check({1: at(1).vector, 3: at(3).vector})
    catalog.delete(f"{3:020x}")
    (again,) = catalog.insert([draft(3, Modality.AUDIO, (SPACE, at(8)))])
    catalog.insert([draft(9, Modality.VIDEO, (SPACE, at(9)))])
    follow()
    check({1: at(1).vector, again.number: at(8).vector})
    catalog.embeddings.replace(SPACE, [(1, at(5)), (2, at(6))])
    follow()
    check({1: at(5).vector})
    catalog.embeddings.replace(SPACE, [(again.number, at(7))])
    catalog.embeddings.put(SPACE, [(1, at(4))])
    follow()
    check({1: at(4).vector, again.number: at(7).vector})
    catalog.delete(f"{1:020x}")
    follow()
    check({again.number: at(7).vector})


def test_changes_tell_what_came_and_went(catalog):
    start = catalog.sequence()
    assert start == 4
    catalog.delete(f"{3:020x}")
    catalog.insert([draft(5, Modality.AUDIO, (SPACE, at(5))), draft(6, Modality.LYRICS)])
    changes = catalog.embeddings.changed_since("av", Modality.AUDIO, start)
    assert numbers_of(changes) == ([3], [6])
    assert changes.sequence == catalog.sequence() == start + 3
    everything = catalog.embeddings.changed_since("av", Modality.AUDIO, 0)
    assert numbers_of(everything) == ([3], [1, 6])
    assert numbers_of(catalog.embeddings.changed_since("none", Modality.AUDIO, 0)) == ([], [])


def test_a_change_that_fails_does_not_move_the_counter(catalog):
    before = catalog.sequence()
    with pytest.raises(DataError):
        catalog.embeddings.replace(SPACE, [(99, at(1))])
    assert not catalog.delete("f" * 20)
    assert catalog.sequence() == before


def test_a_space_has_one_fingerprint(catalog):
    newer = SpaceRef("av", "cafe", SPACE.modalities, 3)
    with pytest.raises(DataError, match=r"f00d, got cafe.*reindex"):
        catalog.insert([draft(7, Modality.AUDIO, (newer, at(7)))])
    with pytest.raises(DataError, match=r"f00d, got cafe.*reindex"):
        catalog.embeddings.put(newer, [(1, at(7))])
    assert catalog.get(f"{7:020x}") is None
    for number in (1, 2, 3):
        catalog.delete(f"{number:020x}")
    catalog.insert([draft(7, Modality.AUDIO, (newer, at(7)))])
    assert catalog.embeddings.spaces() == {"av": newer, "song": OTHER}


def test_put_gives_some_items_a_vector_and_leaves_the_others(catalog):
    catalog.embeddings.put(SPACE, [(1, at(11)), (4, at(12))])
    assert np.array_equal(catalog.embeddings.get(1, "av").vector, at(11).vector)
    assert np.array_equal(catalog.embeddings.get(3, "av").vector, at(3).vector)
    assert catalog.embeddings.numbers("av", Modality.LYRICS).tolist() == [4]
    assert catalog.embeddings.count("av", Modality.AUDIO) == 2


def test_blocks_are_all_rows_in_the_order_of_writing(catalog_url, monkeypatch):
    monkeypatch.setattr("service.catalog.embeddings._BLOCK_ROWS", 7)
    catalog = Catalog(catalog_url)
    catalog.insert([draft(n, Modality.AUDIO, (SPACE, at(n))) for n in range(1, 31)])
    runs = list(catalog.embeddings.blocks("av", Modality.AUDIO))
    catalog.close()
    assert [len(numbers) for numbers, _ in runs] == [7, 7, 7, 7, 2]
    assert np.concatenate([numbers for numbers, _ in runs]).tolist() == list(range(1, 31))
    vectors = np.concatenate([vectors for _, vectors in runs])
    assert np.array_equal(vectors, np.stack([at(n).vector for n in range(1, 31)]))
