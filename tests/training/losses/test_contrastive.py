"""InfoNCE against a written-out loop and PyTorch's cross-entropy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.nn.functional import cross_entropy

from training.losses.contrastive import info_nce

SEEDS = st.integers(0, 2**32 - 1)


def random_case(seed, n_anchors=5, n_others=6):
    """Similarities, positives (an anchor may have none) and candidates (likewise)."""
    rng = np.random.default_rng(seed)
    shape = (n_anchors, n_others)
    similarities = rng.normal(size=shape) * 3
    return similarities, rng.random(shape) < 0.3, rng.random(shape) < 0.5


def looped_loss(similarities, positive, candidates=None):
    losses = []
    for i, row in enumerate(similarities):
        positives = [j for j in range(len(row)) if positive[i, j]]
        if positives:
            in_softmax = [
                j
                for j in range(len(row))
                if candidates is None or candidates[i, j] or positive[i, j]
            ]
            total = sum(math.exp(row[j]) for j in in_softmax)
            terms = [-math.log(math.exp(row[p]) / total) for p in positives]
            losses.append(sum(terms) / len(terms))
    return sum(losses) / len(losses) if losses else 0.0


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_loss_equals_a_loop_over_anchors_and_positives(dtype, tolerance, seed):
    similarities, positive, _ = random_case(seed)
    loss = info_nce(torch.from_numpy(similarities).to(dtype), torch.from_numpy(positive))
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(looped_loss(similarities, positive), abs=tolerance)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_only_candidates_and_positives_stand_in_the_softmax(seed):
    case = random_case(seed)
    loss = info_nce(*(torch.from_numpy(array) for array in case))
    assert loss.item() == pytest.approx(looped_loss(*case), abs=1e-10)


def test_one_positive_each_is_the_cross_entropy_of_pytorch():
    similarities = torch.randn(7, 7, generator=torch.Generator().manual_seed(0))
    loss = info_nce(similarities, torch.eye(7, dtype=torch.bool))
    torch.testing.assert_close(loss, cross_entropy(similarities, torch.arange(7)))


@pytest.mark.parametrize("n_others", [2, 5, 64])
def test_equal_similarities_give_the_logarithm_of_their_number(n_others):
    positive = torch.zeros(3, n_others).bool()
    positive[:, 0] = True
    loss = info_nce(torch.full((3, n_others), 0.7), positive)
    assert loss.item() == pytest.approx(math.log(n_others), rel=1e-5)


@given(SEEDS, st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_a_constant_added_to_an_anchor_changes_nothing(seed, constant):
    similarities, positive, candidates = (torch.from_numpy(a) for a in random_case(seed))
    moved = similarities.clone()
    moved[1] += constant
    expected = info_nce(similarities, positive, candidates).item()
    assert info_nce(moved, positive, candidates).item() == pytest.approx(expected, abs=1e-9)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_changes_nothing(seed):
    case = random_case(seed)
    rng = np.random.default_rng(seed)
    order = np.ix_(rng.permutation(5), rng.permutation(6))
    loss = info_nce(*(torch.from_numpy(array) for array in case))
    again = info_nce(*(torch.from_numpy(array[order]) for array in case))
    assert again.item() == pytest.approx(loss.item(), abs=1e-10)


def test_gradient_equals_finite_differences():
    similarities, positive, candidates = (torch.from_numpy(a) for a in random_case(1))
    assert gradcheck(lambda s: info_nce(s, positive, candidates), (similarities.requires_grad_(),))


def test_similarities_far_apart_stay_finite():
    similarities = torch.tensor([[1e4, -1e4], [0.0, 0.0]], requires_grad=True)
    loss = info_nce(similarities, torch.tensor([[False, True], [True, False]]))
    (gradient,) = torch.autograd.grad(loss, similarities)
    assert loss.item() == pytest.approx((2e4 + math.log(2)) / 2)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("with_candidates", [False, True])
def test_without_positives_the_loss_is_zero_with_a_gradient(with_candidates):
    similarities = torch.randn(3, 4, requires_grad=True)
    nothing = torch.zeros(3, 4).bool()
    loss = info_nce(similarities, nothing, nothing if with_candidates else None)
    (gradient,) = torch.autograd.grad(loss, similarities)
    assert loss.item() == 0.0
    assert not gradient.any()


def test_an_anchor_without_positives_and_candidates_leaves_the_gradient_finite():
    """As rows without a class do in semi-supervised training."""
    similarities = torch.randn(2, 3, requires_grad=True)
    positive = torch.tensor([[True, False, False], [False, False, False]])
    candidates = torch.tensor([[True, True, True], [False, False, False]])
    loss = info_nce(similarities, positive, candidates)
    (gradient,) = torch.autograd.grad(loss, similarities)
    assert torch.isfinite(gradient).all()
    assert not gradient[1].any()
    assert gradient[0].abs().sum() > 0.0
