from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.errors import DataError
from tests.training.datasets.row_order import by_id, shuffled
from tests.training.feature_sets import paired_features, unpaired_features
from training.datasets.disturb import add_noise, drop_partners
from training.datasets.feature_data import FeatureData

PAIRED = paired_features(seed=0)  # 120 training items
TRIPLES = FeatureData({**PAIRED.views, "video": PAIRED.views["audio"]}, PAIRED.classes)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.sampled_from([PAIRED, TRIPLES]), st.integers(0, 3))
def test_so_many_training_items_lose_one_view_each_view_equally_often(share, data, seed):
    left = drop_partners(data, share=share, seed=seed)

    lost = []
    for name, view in data.views.items():
        gone = set(view.ids.tolist()) - set(left.views[name].ids.tolist())
        assert gone <= set(view.only("train").ids.tolist())
        lost.append(gone)
    assert sum(map(len, lost)) == len(set().union(*lost)) == round(share * 120)
    assert max(map(len, lost)) - min(map(len, lost)) <= 1


def test_rows_that_are_left_stay_whole_and_in_order():
    left = drop_partners(PAIRED, share=0.5, seed=0)

    for name, view in left.views.items():
        before = PAIRED.views[name]
        rows = np.isin(before.ids, view.ids)
        assert len(view) == np.count_nonzero(rows) < len(before)
        for column in ("features", "ids", "labels", "split"):
            assert np.array_equal(getattr(view, column), getattr(before, column)[rows])


def test_a_greater_share_takes_away_all_that_a_smaller_one_does():
    few, more = (drop_partners(PAIRED, share=share, seed=0) for share in (0.3, 0.6))

    for name in PAIRED.views:
        assert set(more.views[name].ids) < set(few.views[name].ids)


def test_items_of_a_single_view_are_not_touched_and_not_counted():
    views = dict(PAIRED.views)
    visual = views["visual"]
    partners = np.arange(len(visual)) < 100
    views["visual"] = visual.take(partners)
    single = visual.ids[~partners]

    left = drop_partners(replace(PAIRED, views=views), share=1.0, seed=0)

    assert set(single) <= set(left.views["audio"].ids)
    removed = [len(views[name]) - len(left.views[name]) for name in views]
    assert removed == [30, 30]


def test_the_items_depend_on_the_seed_and_not_on_the_order_of_rows():
    first, other = (drop_partners(PAIRED, share=0.4, seed=seed) for seed in (0, 1))

    assert by_id(first, "split") == by_id(
        drop_partners(shuffled(PAIRED), share=0.4, seed=0), "split"
    )
    assert by_id(first, "split") != by_id(other, "split")


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(DataError, match=r"missing partners: expected a number in \[0, 1\]"):
        drop_partners(PAIRED, share=share, seed=0)


def test_data_without_pairs_have_no_partners_to_lose():
    with pytest.raises(DataError, match="expected training rows that are true pairs"):
        drop_partners(unpaired_features(seed=0), share=0.5, seed=0)


def noise_of(data, **options):
    arguments: dict[str, Any] = {"level": 1.0, "seed": 0, "splits": ("train",), **options}
    noisy = add_noise(data, **arguments)
    return {
        name: (view.features.astype(np.float64) - data.views[name].features, view.split)
        for name, view in noisy.views.items()
    }


@pytest.mark.parametrize("splits", [("test",), ("train", "validation"), ()])
def test_only_the_named_splits_get_noise(splits):
    for noise, split in noise_of(PAIRED, splits=splits).values():
        changed = noise.any(axis=1)
        assert np.array_equal(changed, np.isin(split, list(splits)))


def test_noise_is_gaussian_and_as_strong_as_said_for_each_feature():
    data = paired_features(seed=3, n_rows=5000)
    scale = np.array([0.01, 1, 100, 1, 1, 1], dtype=np.float32)
    audio = data.views["audio"]
    data = replace(data, views={"audio": replace(audio, features=audio.features * scale)})

    noise, split = noise_of(data, level=0.5)["audio"]

    trained = data.views["audio"].only("train").features
    standard = noise[split == "train"] / (0.5 * trained.std(axis=0))
    assert stats.kstest(standard.ravel(), "norm").pvalue > 0.01
    assert np.allclose(standard.std(axis=0), 1, atol=0.05)
    assert np.abs(np.corrcoef(standard.T) - np.eye(6)).max() < 0.06


def test_sequences_get_noise_of_the_scale_of_each_feature_over_rows_and_steps():
    view = PAIRED.views["audio"]
    steps = np.stack([view.features, view.features + 100 * np.eye(6, dtype=np.float32)[0]], axis=1)
    data = FeatureData({"audio": replace(view, features=steps)})

    noise, split = noise_of(data)["audio"]

    assert noise.shape == (200, 2, 6)
    found = noise[split == "train"].std(axis=(0, 1))
    assert np.allclose(found, data.views["audio"].only("train").features.std(axis=(0, 1)), rtol=0.3)
    assert found[0] > 30


def test_another_level_scales_the_same_noise():
    weak, strong = noise_of(PAIRED, level=0.5), noise_of(PAIRED, level=2.0)

    assert np.allclose(4 * weak["audio"][0], strong["audio"][0], atol=1e-5)


def test_the_level_is_measured_on_clean_training_rows_only():
    views = {}
    for name, view in PAIRED.views.items():
        wild = view.features.copy()
        wild[view.split == "test"] *= 1000
        views[name] = replace(view, features=wild)

    one, two = noise_of(PAIRED), noise_of(replace(PAIRED, views=views))

    assert np.array_equal(one["audio"][0], two["audio"][0])


def test_noise_goes_with_the_id_and_differs_between_views_and_seeds():
    options: dict[str, Any] = {"level": 1.0, "splits": ("train", "test")}
    first, again, other = (
        by_id(add_noise(data, seed=seed, **options), "features")
        for data, seed in ((PAIRED, 0), (shuffled(PAIRED), 0), (PAIRED, 1))
    )

    assert first.keys() == again.keys()
    assert all(np.allclose(first[key], again[key], rtol=1e-5, atol=1e-5) for key in first)
    assert first != other
    audio, visual = (noise for noise, _ in noise_of(PAIRED).values())
    assert abs(np.corrcoef(audio[:, 0], visual[:, 0])[0, 1]) < 0.2


def test_level_zero_changes_nothing_and_the_data_given_never_change():
    before = PAIRED.views["audio"].features.copy()

    noise, _ = noise_of(PAIRED, level=0.0)["audio"]
    noise_of(PAIRED, level=3.0)

    assert not noise.any()
    assert np.array_equal(PAIRED.views["audio"].features, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": -1.0}, "level of noise: expected a number >= 0, got -1"),
        ({"level": float("inf")}, "level of noise"),
        ({"level": float("nan")}, "level of noise"),
        ({"splits": ("dev",)}, "expected splits of train, validation, test, got 'dev'"),
    ],
)
def test_impossible_noise_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        noise_of(PAIRED, **options)


def test_without_training_rows_there_is_no_scale():
    views = {name: view.only("test") for name, view in PAIRED.views.items()}

    with pytest.raises(DataError, match="expected training rows in view audio"):
        noise_of(replace(PAIRED, views=views), splits=("test",))


def test_every_column_but_the_features_stays():
    noisy = add_noise(PAIRED, level=1.0, seed=0, splits=("train",))

    counts = Counter(noisy.views["audio"].split.tolist())
    assert counts == {"train": 120, "validation": 40, "test": 40}
    for column in ("ids", "labels", "split"):
        assert by_id(noisy, column) == by_id(PAIRED, column)
    assert noisy.views["audio"].features.dtype == np.float32
