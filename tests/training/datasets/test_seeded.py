import numpy as np

from training.datasets.seeded import random_stream, rank_ids

IDS = [f"clip{n}" for n in range(50)]


def test_the_order_depends_on_seed_and_purpose_and_not_on_the_order_given():
    ranked = rank_ids(IDS, seed=0, purpose="folds")

    assert sorted(ranked) == sorted(IDS)
    assert rank_ids(IDS[::-1], seed=0, purpose="folds") == ranked
    assert rank_ids(IDS, seed=1, purpose="folds") != ranked
    assert rank_ids(IDS, seed=0, purpose="labels") != ranked


def test_a_subset_keeps_the_relative_order():
    ranked = rank_ids(IDS, seed=3, purpose="x")

    assert rank_ids(IDS[:20], seed=3, purpose="x") == [one for one in ranked if one in IDS[:20]]


def test_streams_differ_by_seed_and_purpose_and_repeat():
    draws = {
        (seed, purpose): random_stream(seed, purpose).normal(size=4).tolist()
        for seed in (-1, 0, 1)
        for purpose in ("a", "b")
    }

    assert len({tuple(draw) for draw in draws.values()}) == 6
    assert np.array_equal(random_stream(-1, "a").normal(size=4), draws[-1, "a"])
