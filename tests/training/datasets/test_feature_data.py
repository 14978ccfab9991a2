import numpy as np
import pytest

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView, RawView, settle_splits


def raw(ids, *, labels=None, split=None):
    ids = np.array(list(ids), dtype=np.str_)
    return RawView(
        np.arange(2.0 * len(ids), dtype=np.float32).reshape(-1, 2),
        ids,
        None if labels is None else np.array(labels, dtype=np.int64),
        None if split is None else np.array(split, dtype=np.str_),
    )


def settle(views, *, seed=0, share=0.15):
    return settle_splits(views, seed=seed, validation_share=share)


def train_test(n_train, n_test=2):
    return ["train"] * n_train + ["test"] * n_test


def sides(view):
    return dict(zip(view.ids.tolist(), view.split.tolist(), strict=True))


def test_validation_is_carved_out_of_train_class_by_class():
    labels = [0] * 40 + [1] * 20 + [0, 1]
    views = settle({"audio": raw(range(62), labels=labels, split=train_test(60))}, share=0.25)

    chosen = views["audio"].only("validation")
    assert np.bincount(chosen.labels).tolist() == [10, 5]
    assert len(views["audio"].only("test")) == 2
    assert len(views["audio"].only("train")) == 45


def test_a_split_of_the_file_stays_as_it_is():
    split = ["train", "validation", "test", "train"]

    assert settle({"a": raw(range(4), split=split)})["a"].split.tolist() == split


def test_both_rows_of_a_pair_go_to_the_same_side():
    ids = [f"clip{n}" for n in range(30)]
    split = train_test(28)
    order = np.random.default_rng(0).permutation(30)
    shuffled = raw(np.array(ids)[order], split=np.array(split)[order])

    views = settle({"audio": raw(ids, split=split), "video": shuffled})

    assert sides(views["audio"]) == sides(views["video"])
    assert "validation" in sides(views["audio"]).values()


def test_the_seed_chooses_the_validation_rows_and_nothing_else():
    views = {"a": raw(range(40), labels=[0, 1] * 20, split=train_test(30, 10))}

    first, again, other = (settle(views, seed=seed)["a"].split for seed in (0, 0, 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(first == "test", other == "test")


def test_the_test_part_of_a_file_without_any_split_does_not_depend_on_the_seed():
    views = {"a": raw(range(40)), "b": raw(range(20, 60))}

    first, other = settle(views, seed=0), settle(views, seed=1)

    for name in views:
        assert set(first[name].split) == {"train", "validation", "test"}
        assert np.array_equal(first[name].split == "test", other[name].split == "test")


def test_a_share_of_zero_carves_nothing():
    view = settle({"a": raw(range(9), split=train_test(7))}, share=0.0)["a"]

    assert set(view.split) == {"train", "test"}


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ({"a": raw(["x", "y", "x"])}, r"a/ids: .*different id for each of the 3 .*'x' 2 times"),
        ({"a": raw("xy", split=["train", "dev"])}, r"a/split: expected one of train.*'dev'"),
        ({"a": raw("xy", split=["train", "train"])}, r"a/split: .*none of test among 2 rows"),
        ({"a": raw("xy", split=["test", "test"])}, r"a/split: .*none of train"),
        (
            {"a": raw("xy", split=["train", "test"]), "b": raw("xy", split=["test", "train"])},
            r"b/split: id 'x' is in test, but a has its partner in train",
        ),
        (
            {"a": raw("xy", split=["train", "test"]), "b": raw("vw")},
            r"b/split: missing, but a has one",
        ),
        (
            {"a": raw("xy", labels=[0, 1]), "b": raw("xz", labels=[1, 1])},
            r"b/labels: id 'x' has class 1, but a gives its partner class 0",
        ),
        (
            {
                "a": raw("uvw", split=["train", "validation", "test"]),
                "b": raw("xyz", split=["train", "train", "test"]),
            },
            r"b/split: no validation rows, but a has some",
        ),
    ],
)
def test_contradictions_are_refused(views, message):
    with pytest.raises(DataError, match=message):
        settle(views)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(DataError, match="validation_share"):
        settle({"a": raw(range(4))}, share=share)


def _data(first, second):
    views = settle({"a": raw(first), "b": raw(second)})
    return FeatureData(views)


def test_true_pairs_are_the_rows_with_equal_ids():
    data = _data(["p", "q", "r", "s", "u"], ["s", "x", "q", "p"])

    rows_a, rows_b = data.true_pairs("a", "b")

    assert data.paired
    assert rows_a.tolist() == [0, 1, 3]
    assert rows_b.tolist() == [3, 2, 0]


def test_different_ids_are_no_pairs():
    data = _data(["a/1", "a/2", "a/3"], ["b/1", "b/2", "b/3"])

    assert not data.paired
    assert data.true_pairs("a", "b")[0].shape == (0,)


def test_only_keeps_rows_and_their_columns_together():
    split = np.array(["train", "test", "train"])
    view = FeatureView(np.eye(3, dtype=np.float32), np.array(["p", "q", "r"]), None, split)

    trained = view.only("train")

    assert len(trained) == 2
    assert trained.ids.tolist() == ["p", "r"]
    assert np.array_equal(trained.features, np.eye(3)[[0, 2]])
    assert trained.labels is None
