from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from tests.training.datasets.row_order import by_id, shuffled
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.hide_labels import hide_labels

PAIRED, UNPAIRED = paired_features(seed=0), unpaired_features(seed=0)


def labels_of(data, name):
    return np.asarray(data.views[name].labels)


def counts(view):
    """Labelled rows by (split, class), counted one by one."""
    pairs = zip(view.split.tolist(), view.labels.tolist(), strict=True)
    return Counter((split, label) for split, label in pairs if label >= 0)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.999), st.sampled_from([PAIRED, UNPAIRED]), st.integers(0, 3))
def test_each_class_keeps_its_share_in_train_and_validation_and_all_in_test(share, data, seed):
    hidden = hide_labels(data, share=share, seed=seed)

    for name, view in data.views.items():
        before, after = counts(view), counts(hidden.views[name])
        for (split, label), count in before.items():
            kept = count if split == "test" else max(1, round(share * count))
            assert after[split, label] == kept
        found, given_labels = labels_of(hidden, name), labels_of(data, name)
        assert found.dtype == np.int64
        assert ((found == given_labels) | (found == -1)).all()


def test_both_rows_of_a_pair_keep_or_lose_their_label():
    hidden = hide_labels(PAIRED, share=0.4, seed=0)
    rows_a, rows_b = hidden.true_pairs("audio", "visual")

    a, b = labels_of(hidden, "audio")[rows_a], labels_of(hidden, "visual")[rows_b]
    assert np.array_equal(a, b)
    assert len(rows_a) == 200


def test_a_greater_share_keeps_what_a_smaller_one_keeps():
    few, more = (hide_labels(UNPAIRED, share=share, seed=0) for share in (0.2, 0.5))

    for name in UNPAIRED.views:
        kept = labels_of(few, name) >= 0
        assert (labels_of(more, name)[kept] >= 0).all()


@pytest.mark.parametrize("data", [PAIRED, UNPAIRED], ids=["paired", "unpaired"])
def test_the_order_of_rows_does_not_matter(data):
    one, two = (hide_labels(each, share=0.3, seed=1) for each in (data, shuffled(data)))

    assert by_id(one, "labels") == by_id(two, "labels")


def test_the_seed_chooses():
    one, two = (hide_labels(PAIRED, share=0.3, seed=seed) for seed in (0, 1))

    assert by_id(one, "labels") != by_id(two, "labels")


def test_share_one_returns_the_data_as_they_are():
    assert hide_labels(PAIRED, share=1, seed=0) is PAIRED


def test_share_zero_leaves_no_label_to_train_on_and_every_label_to_test_on():
    hidden = hide_labels(PAIRED, share=0, seed=0)

    for name, view in hidden.views.items():
        assert view.labelled
        assert not hidden.for_selection().views[name].labelled
        rows = view.split == "test"
        assert np.array_equal(labels_of(hidden, name)[rows], labels_of(PAIRED, name)[rows])


def test_views_without_labels_stay_without():
    view = PAIRED.views["audio"]
    bare = FeatureView(view.features, view.ids, None, view.split)
    data = FeatureData({"audio": bare, "visual": PAIRED.views["visual"]}, PAIRED.classes)

    hidden = hide_labels(data, share=0.5, seed=0)

    assert not bare.labelled
    assert hidden.views["audio"] is bare
    assert counts(hidden.views["visual"]) == counts(
        hide_labels(PAIRED, share=0.5, seed=0).views["visual"]
    )


def test_the_data_given_are_not_changed():
    before = by_id(PAIRED, "labels")

    hide_labels(PAIRED, share=0.1, seed=0)

    assert by_id(PAIRED, "labels") == before


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(DataError, match=r"share of labels: expected a number in \[0, 1\]"):
        hide_labels(PAIRED, share=share, seed=0)
