"""Batches: every row is seen, partners stay together, what is missing is filled in by class."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.feature_sets import paired_features, sequence_features
from tests.training.loops.tiny_networks import random_batch
from training.datasets.feature_data import FeatureView
from training.loops.batches import BatchSource


def _view(ids, labels, dimension=2):
    """Rows whose first feature is their number in the view."""
    rows = np.zeros((len(ids), dimension), dtype=np.float32)
    rows[:, 0] = np.arange(len(ids))
    labels = None if labels is None else np.array(labels, dtype=np.int64)
    return FeatureView(rows, np.array(list(ids)), labels, np.array(["train"] * len(ids)))


def _source(views, **changes):
    settings = {"batch_size": 4, "batches_per_epoch": 0, "balanced": False, "shuffle": True}
    return BatchSource(views, **{**settings, **changes}, device=torch.device("cpu"))


def _epoch(source, seed=0):
    return list(source.epoch(np.random.default_rng(seed)))


def _numbers(batches, name):
    return [int(x) for batch in batches for x in batch.features[name][:, 0]]


def _own_numbers(batches, name):
    return [
        int(x)
        for batch in batches
        for x, own in zip(batch.features[name][:, 0], batch.own[name], strict=True)
        if own
    ]


PAIRS = {
    "audio": _view("abcdef", [0, 0, 1, 1, 2, 2]),
    "visual": _view("fedcba", [2, 2, 1, 1, 0, 0]),
}


@settings(max_examples=40, deadline=None)
@given(
    n_rows=st.integers(2, 40),
    n_shared=st.integers(0, 40),
    batch_size=st.integers(2, 17),
    batches_per_epoch=st.integers(0, 9),
    shuffle=st.booleans(),
)
def test_an_unbalanced_epoch_shows_every_row_once_in_batches_of_two_or_more(
    n_rows, n_shared, batch_size, batches_per_epoch, shuffle
):
    first = n_rows - min(n_shared, n_rows)  # the ids from here on are in both views
    views = {
        "audio": _view([f"{i:02d}" for i in range(n_rows)], np.arange(n_rows) % 3),
        "visual": _view([f"{i:02d}" for i in range(first, first + n_rows)], None),
    }
    source = _source(
        views, batch_size=batch_size, batches_per_epoch=batches_per_epoch, shuffle=shuffle
    )
    batches = _epoch(source)
    for name in views:
        assert Counter(_own_numbers(batches, name)) == Counter(range(n_rows))
    assert len(batches) == source.n_batches
    sizes = [len(batch.own["audio"]) for batch in batches]
    assert sum(sizes) == source.n_slots == n_rows + first
    assert min(sizes) >= 2


def test_a_slot_that_is_left_over_joins_the_last_batch():
    views = {name: _view(list("abcdefghi"), None) for name in ("audio", "visual")}
    assert [len(b.own["audio"]) for b in _epoch(_source(views))] == [4, 5]


def test_a_single_item_is_a_batch():
    views = {name: _view(["a"], None) for name in ("audio", "visual")}
    assert [len(b.own["audio"]) for b in _epoch(_source(views))] == [1]


def test_a_number_of_batches_sets_their_size():
    views = {name: _view([str(i) for i in range(22)], None) for name in ("audio", "visual")}
    sizes = [len(b.own["audio"]) for b in _epoch(_source(views, batches_per_epoch=4))]
    assert sizes == [6, 6, 6, 4]


def test_without_shuffling_items_come_in_the_order_of_the_first_view():
    batches = _epoch(_source(PAIRS, shuffle=False))
    assert _numbers(batches, "audio") == [0, 1, 2, 3, 4, 5]
    assert _numbers(batches, "visual") == [5, 4, 3, 2, 1, 0]


def test_shuffling_gives_another_order_with_another_generator_and_the_same_with_the_same():
    source = _source(PAIRS)
    orders = [tuple(_numbers(_epoch(source, seed), "audio")) for seed in (0, 0, 1, 2)]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 3


def test_partners_lie_in_the_same_slot():
    for batch in _epoch(_source(PAIRS)):
        np.testing.assert_array_equal(
            batch.features["audio"][:, 0], 5 - batch.features["visual"][:, 0]
        )
        assert batch.pairs("audio", "visual").all()


def test_balance_gives_every_class_the_same_share():
    labels = np.repeat([0, 1, 2], [10, 60, 230])
    ids = [str(i) for i in range(300)]
    source = _source({n: _view(ids, labels) for n in ("audio", "visual")}, balanced=True)
    drawn = np.concatenate(
        [b.labels["audio"].numpy() for seed in range(20) for b in _epoch(source, seed)]
    )
    assert len(drawn) == 20 * 300
    share = np.bincount(drawn) / len(drawn)
    deviation = np.sqrt(1 / 3 * 2 / 3 / len(drawn))
    np.testing.assert_allclose(share, 1 / 3, atol=4 * deviation)


def test_balance_draws_the_rows_of_a_class_equally_often():
    labels = np.repeat([0, 1], [4, 16])
    ids = [str(i) for i in range(20)]
    source = _source({n: _view(ids, labels) for n in ("audio", "visual")}, balanced=True)
    drawn = Counter(
        number for seed in range(200) for number in _numbers(_epoch(source, seed), "audio")
    )
    expected = np.where(labels == 0, 200 * 20 / 2 / 4, 200 * 20 / 2 / 16)
    found = np.array([drawn[i] for i in range(20)])
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(expected.max()))


def test_balance_leaves_items_of_unknown_class_as_often_as_they_are():
    labels = [0, 0, 0, 0, 1, -1, -1]
    source = _source({n: _view("abcdefg", labels) for n in ("audio", "visual")}, balanced=True)
    for seed in range(5):
        numbers = Counter(_numbers(_epoch(source, seed), "audio"))
        assert numbers[5] == numbers[6] == 1
        assert numbers.total() == 7


def test_balance_without_labels_changes_nothing():
    views = {name: _view("abcdefg", None) for name in ("audio", "visual")}
    balanced, plain = _source(views, balanced=True), _source(views)
    assert _numbers(_epoch(balanced), "audio") == _numbers(_epoch(plain), "audio")


def test_a_missing_view_is_filled_with_a_row_of_the_class():
    views = {
        "audio": _view("abcdefgh", [0, 1, 0, 1, 0, 1, 0, 1]),
        "visual": _view("abxyz", [0, 1, 0, 1, 1]),
    }
    seen: set[int] = set()
    for seed in range(20):
        for batch in _epoch(_source(views), seed):
            filled = ~batch.own["visual"] & batch.own["audio"]
            wanted = batch.labels["audio"][filled]
            assert torch.equal(batch.labels["visual"][filled], wanted)
            seen |= {int(x) for x in batch.features["visual"][filled][:, 0]}
    assert seen == {0, 1, 2, 3, 4}  # every row of a class may fill in


@pytest.mark.parametrize("labels", [[-1, -1, -1, -1], [2, 2, 2, 2], None])
def test_a_missing_view_is_filled_with_any_row_where_no_class_helps(labels):
    views = {"audio": _view("abcd", labels), "visual": _view("xyz", [0, 1, -1])}
    seen: Counter[int] = Counter()
    for seed in range(20):
        for batch in _epoch(_source(views), seed):
            filled = ~batch.own["visual"]
            numbers = batch.features["visual"][filled][:, 0].long()
            assert torch.equal(batch.labels["visual"][filled], torch.tensor([0, 1, -1])[numbers])
            seen.update(numbers.tolist())
    assert set(seen) == {0, 1, 2}


def test_the_class_of_a_slot_may_come_from_either_view():
    views = {
        "audio": _view("ab", [-1, 1]),
        "visual": _view("ab", [0, -1]),
        "text": _view("xy", [0, 1]),
    }
    (batch,) = _epoch(_source(views, shuffle=False))
    of_item_a = batch.features["text"][0, 0]
    assert batch.labels["text"][0] == 0
    assert of_item_a == 0
    assert batch.labels["audio"].tolist()[0] == -1  # that of the row stays unknown


def test_views_without_labels_have_class_minus_one():
    views = {name: _view("abcd", None) for name in ("audio", "visual")}
    (batch,) = _epoch(_source(views))
    assert batch.labels["audio"].tolist() == [-1] * 4


def test_sequences_keep_their_steps():
    views = {n: v.only("train") for n, v in sequence_features(seed=0).views.items()}
    batch = _epoch(_source(views, batch_size=8))[0]
    assert batch.features["audio"].shape == (8, 4, 6)
    assert batch.features["visual"].shape == (8, 3, 5)
    assert batch.names == ["audio", "visual"]


def test_the_rows_of_three_views_are_those_of_the_items():
    data = paired_features(seed=1, dimensions=(3, 4, 2))
    views = {n: v.only("train") for n, v in data.views.items()}
    views["text"] = views["text"].take(np.arange(len(views["text"])) % 2 == 0)
    where = {n: {row.tobytes(): i for i, row in enumerate(v.features)} for n, v in views.items()}
    for batch in _epoch(_source(views, batch_size=16)):
        ids = {
            n: [str(v.ids[where[n][row.numpy().tobytes()]]) for row in batch.features[n]]
            for n, v in views.items()
        }
        assert ids["audio"] == ids["visual"]
        same = [a == t for a, t in zip(ids["audio"], ids["text"], strict=True)]
        assert batch.own["text"].tolist() == same


@pytest.mark.parametrize("seed", range(3))
def test_pairs_and_corresponding_slots_equal_a_loop(seed):
    batch = random_batch(seed=seed, size=30, dimensions=(2, 3, 2))
    for first in batch.names:
        for second in batch.names:
            pairs, corresponding = [], []
            for i in range(30):
                both = bool(batch.own[first][i]) and bool(batch.own[second][i])
                a, b = int(batch.labels[first][i]), int(batch.labels[second][i])
                pairs.append(both)
                corresponding.append(both or (a == b and a != -1))
            assert batch.pairs(first, second).tolist() == pairs
            assert batch.corresponding(first, second).tolist() == corresponding
