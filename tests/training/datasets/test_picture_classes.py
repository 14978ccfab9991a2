"""tiny-imagenet and Caltech-101: a folder per class, split by id."""

import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import N_PICTURES, SYNSETS, write_packs
from training.datasets.picture_classes import open_caltech101, open_tiny_imagenet


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    return write_packs(tmp_path_factory.mktemp("packs"))


def test_every_picture_has_the_class_of_its_folder(packs):
    tiny, caltech = open_tiny_imagenet(packs), open_caltech101(packs)

    assert tiny.classes == tuple(sorted(SYNSETS))
    assert len(tiny.examples()) == N_PICTURES * len(SYNSETS)
    assert all(
        one.path is not None and one.path.parents[1].name == one.label for one in tiny.examples()
    )
    assert caltech.classes == ("helicopter", "rooster", "watch")
    assert all(
        one.path is not None and one.path.parent.name == one.label for one in caltech.examples()
    )


def test_the_split_follows_the_seed_and_each_class_has_all_sides(packs):
    first, again, other = (open_caltech101(packs, seed=seed) for seed in (0, 0, 1))

    assert first == again
    assert {one.id: one.split for one in first.examples()} != {
        one.id: one.split for one in other.examples()
    }
    for label in first.classes:
        sides = {one.split for one in first.examples() if one.label == label}
        assert sides == {"train", "validation", "test"}


@pytest.mark.parametrize("open_set", [open_tiny_imagenet, open_caltech101])
def test_a_pack_without_pictures_is_refused(open_set, tmp_path):
    for inside in ("tiny_imagenet_subset/tiny-imagenet-200", "101_ObjectCategories"):
        (tmp_path / inside).mkdir(parents=True)

    with pytest.raises(DataError, match="expected a folder of pictures per class, found none"):
        open_set(tmp_path)
