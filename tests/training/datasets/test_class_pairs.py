from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from tests.training.datasets.row_order import by_id, shuffled
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.class_pairs import pair_by_class
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.hide_labels import hide_labels

UNPAIRED = unpaired_features(seed=0)
SPLITS = ("train", "validation", "test")


def view_of(name, rows):
    """A view of (split, class) rows with ids of its own; features are row numbers."""
    return FeatureView(
        np.arange(len(rows), dtype=np.float32)[:, None],
        np.array([f"{name}{number}" for number in range(len(rows))], dtype=np.str_),
        np.array([label for _, label in rows], dtype=np.int64),
        np.array([split for split, _ in rows], dtype=np.str_),
    )


def data_of(**rows):
    return FeatureData({name: view_of(name, listed) for name, listed in rows.items()}, ("0", "1"))


rows_of_a_view = st.lists(st.tuples(st.sampled_from(SPLITS), st.integers(-1, 1)), max_size=25)
ONE_PAIR = [("train", 0)]


@settings(max_examples=50, deadline=None)
@given(rows_of_a_view, rows_of_a_view, rows_of_a_view, st.integers(0, 5))
def test_groups_of_training_rows_are_as_many_as_rows_allow_within_a_class(
    first, second, third, seed
):
    listed = {"a": ONE_PAIR + first, "b": ONE_PAIR + second, "c": ONE_PAIR + third}
    data = data_of(**listed)

    paired = pair_by_class(data, seed=seed)

    groups = Counter(one for view in paired.views.values() for one in set(view.ids.tolist()))
    held: dict[str, set[tuple[str, int]]] = {one: set() for one in groups}
    for name, view in paired.views.items():
        before = data.views[name]
        assert view.features is before.features
        assert len(set(view.ids.tolist())) == len(before)
        for row, one in enumerate(view.ids.tolist()):
            held[one].add((view.split[row], int(np.asarray(view.labels)[row])))
            if groups[one] == 1:
                assert one == before.ids[row]
    for one, facts in held.items():
        assert len(facts) == 1
        split, label = next(iter(facts))
        assert groups[one] == 1 or (split == "train" and label >= 0 and one.startswith("pair/"))
    for label in (0, 1):
        sizes = sorted(rows.count(("train", label)) for rows in listed.values())
        found = [groups[one] for one, facts in held.items() if facts == {("train", label)}]
        assert found.count(3) == sizes[0]
        assert found.count(2) == sizes[1] - sizes[0]


def test_two_views_give_the_smaller_count_of_pairs():
    paired = pair_by_class(UNPAIRED, seed=0)

    rows_a, rows_b = paired.true_pairs("audio", "visual")
    a, b = paired.views["audio"], paired.views["visual"]
    assert np.array_equal(np.asarray(a.labels)[rows_a], np.asarray(b.labels)[rows_b])
    assert (a.split[rows_a] == "train").all()
    assert (b.split[rows_b] == "train").all()
    smaller = UNPAIRED.views["visual"]
    assert len(rows_a) == np.count_nonzero(smaller.split == "train")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_validation_and_test_rows_keep_their_ids(split):
    paired = pair_by_class(UNPAIRED, seed=0)

    for name, view in UNPAIRED.views.items():
        assert np.array_equal(paired.views[name].only(split).ids, view.only(split).ids)


def test_the_partner_is_drawn_at_random_by_seed():
    def partners(seed):
        paired = pair_by_class(UNPAIRED, seed=seed)
        rows_a, rows_b = paired.true_pairs("audio", "visual")
        a, b = (UNPAIRED.views[name].ids for name in ("audio", "visual"))
        return dict(zip(a[rows_a].tolist(), b[rows_b].tolist(), strict=True))

    first, other = partners(0), partners(1)

    assert first == partners(0)
    same = sum(first.get(one) == partner for one, partner in other.items())
    assert same < 0.2 * len(first)


def test_the_order_of_rows_does_not_matter():
    numbered = {
        name: replace(view, features=np.arange(len(view), dtype=np.float32)[:, None])
        for name, view in UNPAIRED.views.items()
    }
    data = replace(UNPAIRED, views=numbered)

    def groups(each):
        found: dict[str, dict[str, list[float]]] = {}
        for (name, one), row in by_id(pair_by_class(each, seed=3), "features").items():
            found.setdefault(one, {})[name] = row
        return sorted(sorted(group.items()) for group in found.values())

    assert groups(data) == groups(shuffled(data))


def test_rows_without_a_label_are_left_unpaired():
    hidden = hide_labels(UNPAIRED, share=0.3, seed=0)

    paired = pair_by_class(hidden, seed=0)

    for view in paired.views.values():
        matched = np.char.startswith(view.ids, "pair/")
        assert matched.any()
        assert (np.asarray(view.labels)[matched] >= 0).all()


def without_labels(data):
    views = {**data.views, "visual": replace(data.views["visual"], labels=None)}
    return replace(data, views=views)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (without_labels(UNPAIRED), "expected labels in every view, found none in visual"),
        (paired_features(seed=0), "the data have true pairs"),
        (pair_by_class(UNPAIRED, seed=0), "no id that begins with pair/ in audio"),
        (hide_labels(UNPAIRED, share=0, seed=0), "labelled training rows in two views"),
        (data_of(a=[("train", 0), ("validation", 1)], b=[("train", 1)]), "in two views"),
        (data_of(a=[("validation", 0)], b=[("validation", 0)]), "in two views"),
        (data_of(a=[("train", 0)]), "in two views"),
    ],
)
def test_data_that_cannot_or_need_not_be_paired_are_refused(data, message):
    with pytest.raises(DataError, match=message):
        pair_by_class(data, seed=0)
