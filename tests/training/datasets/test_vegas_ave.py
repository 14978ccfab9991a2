from dataclasses import replace

import h5py
import numpy as np
import pytest

from training.datasets import ave, vegas
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.feature_file import read_feature_file
from training.datasets.published_features import AVE_PROTOCOLS, describe_published, name_classes

BLOCK = (3, 9, 12)  # Bark, Frying (food), Helicopter


def features(counts, n_classes, *, tested=None, steps=None, dimensions=(128, 1024), split=None):
    """Paired views with (train, validation, test) rows; features take no memory."""
    labels = np.concatenate([np.arange(count) % n_classes for count in counts])
    splits = np.repeat(["train", "validation", "test"], counts)
    if tested is not None:
        labels[splits == "test"] = np.resize(tested, counts[2])
    ids = np.array([f"{row}" for row in range(len(labels))])
    views = {}
    for name, dimension in zip(("audio", "visual"), dimensions, strict=True):
        shape = (len(labels), *([steps] if steps else []), dimension)
        rows = np.broadcast_to(np.float32(0), shape)
        views[name] = FeatureView(rows, ids, labels, splits)
    return FeatureData(views, tuple(str(label) for label in range(n_classes)))


@pytest.mark.parametrize("counts", [(19_111, 3_372, 5_620), (22_482, 0, 5_621)])
def test_the_published_folds_of_vegas_are_recognised(counts):
    (note,) = describe_published(features(counts, 10))

    assert note == (
        f"VEGAS features: {counts[0]:,} training, {counts[1]:,} validation and {counts[2]:,} test "
        "rows. This has the size of a published split."
    )


def test_another_split_of_vegas_is_no_reference():
    (note,) = describe_published(features((20_000, 2_000, 6_103), 10))

    assert "6,103 test rows. This is not a published split (22,483 and 5,620 or" in note


@pytest.mark.parametrize("steps", [None, 10])
def test_ave_states_its_split_and_the_two_protocols(steps):
    notes = describe_published(features((1_500, 266, 189), 15, steps=steps))

    assert notes == (
        "AVE features: 1,500 training, 266 validation and 189 test rows. This has the size of a "
        "published split.",
        AVE_PROTOCOLS,
    )
    for figure in ("15 classes", "1,766", "189", "3 classes", "391", "0.10", "0.35"):
        assert figure in AVE_PROTOCOLS


def test_the_block_split_of_ave_is_warned_of_by_its_classes():
    data = replace(features((1_300, 264, 391), 15, tested=BLOCK), classes=ave.CLASSES)

    split, warning, protocols = describe_published(data)

    assert "391 test rows. This is not a published split (1,766 and 189 rows" in split
    assert warning.startswith("Warning: the test part holds 3 of the 15 classes (Bark, Frying")
    assert "not figures of 15 classes" in warning
    assert protocols == AVE_PROTOCOLS


def test_views_of_different_length_are_counted_each():
    data = features((100, 10, 20), 10)
    views = {**data.views, "visual": data.views["visual"].only("train")}

    split, warning = describe_published(replace(data, views=views))

    assert "100 training, 10 validation and 20 test rows in audio; 100 training, 0" in split
    assert "holds 0 of the 10 classes (none)" in warning


@pytest.mark.parametrize(
    "data",
    [
        features((10, 5, 5), 11),
        features((10, 5, 5), 10, dimensions=(128, 1280)),
        replace(features((10, 5, 5), 10), views={}),
    ],
)
def test_other_data_get_no_notes(data):
    assert describe_published(data) == ()
    assert name_classes(data) is data


def test_a_view_without_labels_lacks_no_class():
    data = features((100, 10, 20), 10)
    views = {name: replace(view, labels=None) for name, view in data.views.items()}

    assert len(describe_published(replace(data, views=views))) == 1


def test_numbered_classes_of_ave_get_their_names():
    named = name_classes(features((1_500, 266, 189), 15))

    assert named.classes == ave.CLASSES
    assert named.classes[3] == "Bark"


@pytest.mark.parametrize(
    "data",
    [
        features((1_500, 266, 188), 15),
        replace(features((1_500, 266, 189), 15), classes=tuple("abcdefghijklmno")),
        features((19_111, 3_372, 5_620), 10),
    ],
    ids=["other rows", "own names", "vegas"],
)
def test_classes_of_other_data_keep_their_names(data):
    assert name_classes(data) is data


@pytest.mark.parametrize("module", [vegas, ave])
def test_the_facts_of_the_modules_agree(module):
    assert len(set(module.CLASSES)) == len(module.CLASSES)
    totals = {train + test for train, test in module.SPLITS}
    assert totals == {28_103 if module is vegas else ave.N_ROWS}


@pytest.mark.parametrize("form", ["flat", "column", "one-hot"])
def test_a_file_of_quantised_sequences_as_published_is_read_and_recognised(tmp_path, form):
    rng = np.random.default_rng(0)
    labels = {"train": np.arange(60) % 15, "test": np.arange(15)}
    with h5py.File(tmp_path / "ave.h5", "w") as file:
        for split, column in labels.items():
            forms = {"flat": column, "column": column[:, None], "one-hot": np.eye(15)[column]}
            file[f"lab_{split}"] = forms[form]
            for name, dimension in (("audio", 128), ("visual", 1024)):
                shape = (len(column), 10, dimension)
                file[f"{name}_{split}"] = rng.integers(0, 256, shape, dtype=np.uint8)

    data = read_feature_file(tmp_path / "ave.h5")

    assert data.views["audio"].features.shape == (75, 10, 128)
    assert data.views["visual"].features.shape == (75, 10, 1024)
    assert data.views["visual"].features.min() == -0.5
    assert data.views["visual"].features.max() == 127 / 256
    assert data.paired
    assert describe_published(data)[-1] == AVE_PROTOCOLS
