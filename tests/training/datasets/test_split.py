import math

import pytest

from training.datasets.split import SPLITS, assign_splits, take_share


def _strata(**sizes):
    return {f"{name}{row}": name for name, size in sizes.items() for row in range(size)}


@pytest.mark.parametrize("share", [0.1, 0.15, 0.5, 0.9])
def test_each_stratum_gives_its_share(share):
    strata = _strata(a=40, b=200)

    taken = take_share(strata, share=share, seed=0)

    for name, size in (("a", 40), ("b", 200)):
        assert sum(one.startswith(name) for one in taken) == round(share * size)


def test_the_order_of_rows_does_not_matter():
    strata = _strata(a=30, b=30)
    backwards = dict(reversed(strata.items()))

    assert take_share(strata, share=0.3, seed=4) == take_share(backwards, share=0.3, seed=4)


def test_another_seed_chooses_others():
    strata = _strata(a=100)

    assert take_share(strata, share=0.3, seed=0) != take_share(strata, share=0.3, seed=1)


def test_an_added_row_moves_at_most_two_others():
    few, more = _strata(a=100), _strata(a=101)

    changed = take_share(few, share=0.3, seed=0) ^ take_share(more, share=0.3, seed=0)

    assert len(changed) <= 2


def test_small_strata_give_one_and_keep_one():
    taken = take_share(_strata(a=2, b=3, c=1), share=0.01, seed=0)

    assert sorted(one[0] for one in taken) == ["a", "b"]
    assert len(take_share(_strata(a=2), share=0.99, seed=0)) == 1


def test_strata_of_one_are_ignored_when_all_are():
    assert len(take_share({f"id{n}": n for n in range(10)}, share=0.3, seed=0)) == 3


@pytest.mark.parametrize("share", [0.0, -1.0])
def test_no_share_takes_nothing(share):
    assert take_share(_strata(a=5), share=share, seed=0) == frozenset()


def test_three_splits_have_the_asked_proportions_in_every_stratum():
    strata = _strata(a=100, b=20)

    splits = assign_splits(strata, seed=0)

    assert list(splits) == list(strata)
    for name, size in (("a", 100), ("b", 20)):
        counts = [
            sum(splits[one] == split for one in strata if one.startswith(name)) for split in SPLITS
        ]
        assert counts == [round(0.7 * size), round(0.15 * size), round(0.15 * size)]
        assert math.fsum(counts) == size
