"""ESC-10 by folds."""

import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import write_packs
from training.datasets.esc10 import FOLDS, open_esc10
from training.datasets.registry import open_dataset


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    return write_packs(tmp_path_factory.mktemp("packs"))


@pytest.mark.parametrize("fold", FOLDS)
def test_one_fold_is_tested_and_the_one_before_validates(packs, fold):
    examples = open_esc10(packs, test_fold=fold).examples()

    folds = {
        split: {int(one.id.split("/")[1][0]) for one in examples if one.split == split}
        for split in ("train", "validation", "test")
    }
    before = {1: 4, 2: 1, 3: 2, 4: 3}[fold]
    assert folds == {
        "test": {fold},
        "validation": {before},
        "train": {1, 2, 3, 4} - {fold, before},
    }


def test_classes_are_the_names_of_the_folders_without_their_numbers(packs):
    assert set(open_esc10(packs).classes) == {
        "dog bark",
        "rain",
        "sea waves",
        "helicopter",
        "rooster",
    }


def test_the_table_hands_the_fold_on(packs):
    assert open_dataset("esc10", packs, test_fold=2).examples() == (
        open_esc10(packs, test_fold=2).examples()
    )


def test_other_folds_and_empty_or_odd_folders_are_refused(packs, tmp_path):
    with pytest.raises(DataError, match="test_fold: expected one of"):
        open_esc10(packs, test_fold=5)
    folder = tmp_path / "esc10/ESC-10/001 - Dog bark"
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match="expected folders like '001 - Dog bark' with sounds"):
        open_esc10(tmp_path)
    (folder / "9-1-A.ogg").touch()
    with pytest.raises(DataError, match="expected a fold of 1 to 4"):
        open_esc10(tmp_path)
