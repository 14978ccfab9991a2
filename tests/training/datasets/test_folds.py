from collections import Counter
from itertools import product

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from tests.training.datasets.row_order import by_id, shuffled
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.feature_file import write_feature_file
from training.datasets.folds import make_folds, read_folds


def data_of(views, *, classes=("0", "1", "2")):
    """Views given as {id: class}; a class of None everywhere means no labels."""
    made = {}
    for name, label_of in views.items():
        labels = list(label_of.values())
        unlabelled = all(label is None for label in labels)
        made[name] = FeatureView(
            np.zeros((len(labels), 2), np.float32),
            np.array(list(label_of), dtype=np.str_),
            None if unlabelled else np.array(labels, dtype=np.int64),
            np.array(["train"] * len(labels)),
        )
    return FeatureData(made, classes)


def partly_paired(n_both, n_audio, n_visual):
    """Two views; for each class so many items in both, in audio only, in visual only."""
    audio: dict[str, int] = {}
    visual: dict[str, int] = {}
    for label, counts in enumerate(zip(n_both, n_audio, n_visual, strict=True)):
        for kind, count in zip("bav", counts, strict=True):
            ids = [f"{label}{kind}{number}" for number in range(count)]
            audio |= dict.fromkeys(ids if kind in "ba" else [], label)
            visual |= dict.fromkeys(ids if kind in "bv" else [], label)
    return data_of({"audio": audio, "visual": visual})


def rows_under_test(fold, name):
    view = fold.views[name]
    return list(zip(view.only("test").ids.tolist(), view.only("test").labels, strict=True))


def assert_even(folds):
    """Test rows of each class and view, counted one by one, differ by at most 1 between folds."""
    for name in folds[0].views:
        counts = [Counter(label for _, label in rows_under_test(fold, name)) for fold in folds]
        for label in set().union(*counts):
            of_label = [count[label] for count in counts]
            assert max(of_label) - min(of_label) <= 1


class_sizes = st.lists(st.integers(0, 9), min_size=3, max_size=3)


@settings(max_examples=40, deadline=None)
@given(class_sizes, class_sizes, class_sizes, st.integers(2, 4), st.integers(-2, 3))
def test_each_id_is_tested_once_pairs_together_classes_evenly(
    n_both, n_audio, n_visual, n_folds, seed
):
    n_both = [count + n_folds for count in n_both]
    data = partly_paired(n_both, n_audio, n_visual)

    folds = make_folds(data, n_folds=n_folds, seed=seed)

    assert len(folds) == n_folds
    for name, view in data.views.items():
        ids = [one for fold in folds for one, _ in rows_under_test(fold, name)]
        assert sorted(ids) == sorted(view.ids.tolist())
    for fold in folds:
        sides = [
            dict(zip(v.ids.tolist(), v.split.tolist(), strict=True)) for v in fold.views.values()
        ]
        both = sides[0].keys() & sides[1].keys()
        assert all(sides[0][one] == sides[1][one] for one in both)
    assert_even(folds)


@pytest.mark.parametrize("make", [paired_features, unpaired_features])
@pytest.mark.parametrize("n_folds", [2, 5, 7])
def test_folds_have_equal_size_and_a_validation_share_of_each_class(make, n_folds):
    data = make(seed=0)

    folds = make_folds(data, n_folds=n_folds, seed=1, validation_share=0.2)

    assert_even(folds)
    for name, view in data.views.items():
        sizes = [len(fold.views[name].only("test")) for fold in folds]
        assert max(sizes) - min(sizes) <= 1
        for fold, label in product(folds, range(4)):
            rows = fold.views[name]
            split_of = Counter(rows.split[rows.labels == label].tolist())
            rest = split_of["train"] + split_of["validation"]
            assert split_of["validation"] == round(0.2 * rest)
            assert split_of.total() == np.count_nonzero(np.asarray(view.labels) == label)


def test_features_labels_and_order_stay():
    data = paired_features(seed=0)

    for fold in make_folds(data, n_folds=3, seed=0):
        for name, view in data.views.items():
            assert fold.views[name].features is view.features
            assert fold.views[name].labels is view.labels
            assert fold.views[name].ids is view.ids
        assert (fold.classes, fold.licence) == (data.classes, data.licence)


@pytest.mark.parametrize("make", [paired_features, unpaired_features])
def test_the_order_of_rows_does_not_matter(make):
    data = make(seed=0)
    other = shuffled(data)

    for one, two in zip(
        make_folds(data, n_folds=4, seed=2), make_folds(other, n_folds=4, seed=2), strict=True
    ):
        assert by_id(one, "split") == by_id(two, "split")


def test_seed_and_fold_choose_other_rows():
    data = paired_features(seed=0)
    first, again, other = (make_folds(data, n_folds=3, seed=seed) for seed in (0, 0, 1))

    assert by_id(first[0], "split") == by_id(again[0], "split")
    assert by_id(first[0], "split") != by_id(other[0], "split")
    validated = [set(fold.views["audio"].only("validation").ids) for fold in first]
    assert all(not one <= two for one in validated for two in validated if one is not two)


def test_one_fold_is_the_split_of_the_data():
    data = paired_features(seed=0)

    assert make_folds(data, n_folds=1, seed=5) == [data]


def test_no_validation_share_leaves_train_and_test():
    for fold in make_folds(paired_features(seed=0), n_folds=2, seed=0, validation_share=0.0):
        assert set(fold.views["audio"].split) == {"train", "test"}


@pytest.mark.parametrize("label", [None, -1])
def test_rows_of_unknown_class_are_dealt_evenly(label):
    data = data_of({"audio": {f"a{n}": label for n in range(11)}}, classes=())

    sizes = [len(fold.views["audio"].only("test")) for fold in make_folds(data, n_folds=3, seed=0)]

    assert sorted(sizes) == [3, 4, 4]


def test_three_views_that_hold_the_same_items_are_even():
    label_of = {f"i{n}": n % 3 for n in range(32)}
    folds = make_folds(data_of({"a": label_of, "b": label_of, "c": label_of}), n_folds=5, seed=0)

    assert_even(folds)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_folds": 0}, "n_folds: expected 1 or more, got 0"),
        ({"n_folds": 2, "validation_share": 1.0}, r"validation_share: expected .*\[0, 1\), got 1"),
        (
            {"n_folds": 3},
            r"at most 2, the number of rows of class 'b' in view visual, got 3",
        ),
    ],
)
def test_impossible_folds_are_refused(options, message):
    audio = {f"a{n}": n % 2 for n in range(8)}
    visual = {f"v{n}": int(n > 3) for n in range(6)}
    data = data_of({"audio": audio, "visual": visual}, classes=("a", "b"))

    with pytest.raises(DataError, match=message):
        make_folds(data, seed=0, **options)


def test_classes_without_a_name_and_views_without_labels_are_named_in_refusals():
    with pytest.raises(DataError, match="class '1' in view audio, got 3"):
        make_folds(data_of({"audio": {"p": 1, "q": 1}}, classes=()), n_folds=3, seed=0)
    with pytest.raises(DataError, match="any class in view audio, got 3"):
        make_folds(data_of({"audio": {"p": None, "q": None}}), n_folds=3, seed=0)


def write(path, *, classes=4, dimensions=(6, 5), seed=0):
    write_feature_file(path, paired_features(seed=seed, n_classes=classes, dimensions=dimensions))
    return path


def test_several_files_are_several_folds(tmp_path):
    paths = [write(tmp_path / f"{seed}.h5", seed=seed) for seed in (0, 1)]

    folds = read_folds(paths, seed=0)

    for seed, fold in enumerate(folds):
        expected = paired_features(seed=seed).views["audio"].features
        assert np.array_equal(fold.views["audio"].features, expected)


def test_the_seed_chooses_the_validation_rows_of_files_without_them(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        for key, count in (("audio_train", 40), ("audio_test", 8)):
            file[key] = np.zeros((count, 3))

    first, other = (
        read_folds([tmp_path / "f.h5"], seed)[0].views["audio"].split for seed in (0, 1)
    )

    assert not np.array_equal(first, other)
    assert np.array_equal(first == "test", other == "test")


@pytest.mark.parametrize(
    "change", [{"classes": 3}, {"dimensions": (6, 7)}], ids=["classes", "dimensions"]
)
def test_files_that_do_not_agree_are_refused(tmp_path, change):
    paths = [write(tmp_path / "a.h5"), write(tmp_path / "b.h5", **change)]

    with pytest.raises(DataError, match=r"b\.h5: expected the views, .* of .*a\.h5, audio \(6,\)"):
        read_folds(paths)


def test_no_file_is_refused():
    with pytest.raises(DataError, match="at least one feature file"):
        read_folds([])
