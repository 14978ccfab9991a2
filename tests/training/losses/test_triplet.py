"""Triplet losses against loops over every triplet."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from torch.autograd import gradcheck

from models.errors import ShapeError
from training.losses.triplet import (
    MININGS,
    class_masks,
    partner_triplet_loss,
    squared_distances,
    triplet_loss,
)

CASES = {"margin": st.floats(0.01, 2.0), "seed": st.integers(0, 2**32 - 1)}


def random_case(seed, n_anchors=5, n_others=6):
    """Distances, and positives and negatives that may be missing or be neither."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, size=(n_anchors, n_others))
    return rng.uniform(0, 2, size=(n_anchors, n_others)), kind == 0, kind == 1


def looped_triplets(distances, positive, negative, margin):
    """(d(a, p), d(a, n), hinge) of every triplet."""
    n_anchors, n_others = distances.shape
    return [
        [
            (distances[a, p], distances[a, n], max(0.0, distances[a, p] - distances[a, n] + margin))
            for p in range(n_others)
            for n in range(n_others)
            if positive[a, p] and negative[a, n]
        ]
        for a in range(n_anchors)
    ]


def is_kept(mining, positive_distance, negative_distance, loss):
    if mining == "all":
        return True
    return loss > 0.0 and (mining == "active" or negative_distance > positive_distance)


def looped_loss(distances, positive, negative, margin, mining):
    anchors = looped_triplets(distances, positive, negative, margin)
    if mining == "hard":
        kept = [
            max(0.0, max(p for p, _, _ in one) - min(n for _, n, _ in one) + margin)
            for one in anchors
            if one
        ]
    else:
        kept = [loss for one in anchors for p, n, loss in one if is_kept(mining, p, n, loss)]
    return sum(kept) / len(kept) if kept else 0.0


def as_tensors(distances, positive, negative):
    return torch.from_numpy(distances), torch.from_numpy(positive), torch.from_numpy(negative)


@pytest.mark.parametrize("mining", MININGS)
@given(**CASES)
@settings(max_examples=40, deadline=None)
def test_loss_equals_a_loop_over_all_triplets(mining, margin, seed):
    distances, positive, negative = random_case(seed)
    loss = triplet_loss(*as_tensors(distances, positive, negative), margin=margin, mining=mining)
    expected = looped_loss(distances, positive, negative, margin, mining)
    assert loss.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("mining", MININGS)
def test_float32_gives_the_same_loss(mining):
    distances, positive, negative = random_case(0)
    loss = triplet_loss(
        *as_tensors(distances.astype(np.float32), positive, negative), margin=0.5, mining=mining
    )
    assert loss.dtype == torch.float32
    expected = looped_loss(distances, positive, negative, 0.5, mining)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mining", "expected"),
    [
        ("all", (1.2 + 0.2 + 0.4 + 0.0) / 4),
        ("active", (1.2 + 0.2 + 0.4) / 3),
        ("semi-hard", (0.2 + 0.4) / 2),
        ("hard", 1.2),
    ],
)
def test_each_mining_keeps_the_triplets_it_names(mining, expected):
    distances = torch.tensor([[1.0, 0.3, 1.3, 1.1, 3.0]])  # one positive, four negatives
    positive = torch.tensor([[True, False, False, False, False]])
    loss = triplet_loss(distances, positive, ~positive, margin=0.5, mining=mining)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("mining", MININGS)
@given(**CASES)
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_changes_nothing(mining, margin, seed):
    distances, positive, negative = random_case(seed)
    rng = np.random.default_rng(seed)
    order = np.ix_(rng.permutation(5), rng.permutation(6))
    shuffled = as_tensors(distances[order], positive[order], negative[order])
    loss = triplet_loss(*as_tensors(distances, positive, negative), margin=margin, mining=mining)
    again = triplet_loss(*shuffled, margin=margin, mining=mining)
    assert again.item() == pytest.approx(loss.item(), abs=1e-12)


@pytest.mark.parametrize("mining", MININGS)
def test_gradient_equals_finite_differences(mining):
    distances, positive, negative = as_tensors(*random_case(1))
    assert gradcheck(
        lambda d: triplet_loss(d, positive, negative, margin=0.5, mining=mining),
        (distances.requires_grad_(),),
    )


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("missing", ["positive", "negative"])
def test_without_triplets_the_loss_is_zero_with_a_gradient(mining, missing):
    distances = torch.rand(3, 4, requires_grad=True)
    masks = {"positive": torch.ones(3, 4).bool(), "negative": torch.ones(3, 4).bool()}
    masks[missing] = torch.zeros(3, 4).bool()
    loss = triplet_loss(distances, **masks, margin=0.5, mining=mining)
    (gradient,) = torch.autograd.grad(loss, distances)
    assert loss.item() == 0.0
    assert not gradient.any()


def test_an_unknown_mining_is_refused():
    empty = torch.zeros(1, 1)
    with pytest.raises(ShapeError, match="got 'lazy'"):
        triplet_loss(empty, empty.bool(), empty.bool(), margin=0.5, mining="lazy")


# ---------------------------------------------------------------- partners


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(**CASES)
@settings(max_examples=40, deadline=None)
def test_partner_loss_equals_a_loop_over_all_others(dtype, margin, seed):
    rng = np.random.default_rng(seed)
    distances, paired = rng.uniform(0, 2, size=(6, 6)), rng.random(6) < 0.6
    active = [
        hinge
        for i in range(6)
        for j in range(6)
        if paired[i] and i != j and (hinge := distances[i, i] - distances[i, j] + margin) > 0.0
    ]
    expected = sum(active) / len(active) if active else 0.0
    loss = partner_triplet_loss(
        torch.from_numpy(distances).to(dtype), torch.from_numpy(paired), margin=margin
    )
    tolerance = 1e-12 if dtype == torch.float64 else 1e-3  # a hinge of 1e-8 may be active or not
    assert loss.item() == pytest.approx(expected, abs=tolerance)


def test_partner_loss_is_the_active_triplet_loss_with_one_positive_each():
    distances = torch.rand(5, 5, generator=torch.Generator().manual_seed(0))
    itself = torch.eye(5, dtype=torch.bool)
    expected = triplet_loss(distances, itself, ~itself, margin=0.3, mining="active")
    found = partner_triplet_loss(distances, torch.ones(5).bool(), margin=0.3)
    assert found.item() == pytest.approx(expected.item())


def test_partner_loss_without_partners_is_zero_with_a_gradient():
    distances = torch.rand(4, 4, requires_grad=True)
    loss = partner_triplet_loss(distances, torch.zeros(4).bool(), margin=0.5)
    (gradient,) = torch.autograd.grad(loss, distances)
    assert loss.item() == 0.0
    assert not gradient.any()


# ---------------------------------------------------------------- distances and masks


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_squared_distances_equal_those_of_scipy(dtype, tolerance):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    found = squared_distances(torch.from_numpy(a).to(dtype), torch.from_numpy(b).to(dtype))
    np.testing.assert_allclose(found, cdist(a, b, "sqeuclidean"), atol=tolerance)


def test_squared_distances_of_equal_rows_are_never_negative():
    rows = 1e3 + torch.rand(50, 7, generator=torch.Generator().manual_seed(3))
    assert (squared_distances(rows, rows) >= 0.0).all()


@given(
    st.lists(st.integers(-1, 3), min_size=1, max_size=6),
    st.lists(st.integers(-1, 3), min_size=1, max_size=6),
)
def test_masks_equal_a_loop_over_labels(anchors, others):
    positive, negative = class_masks(torch.tensor(anchors), torch.tensor(others))
    for i, first in enumerate(anchors):
        for j, second in enumerate(others):
            known = first >= 0 and second >= 0
            assert positive[i, j].item() == (known and first == second)
            assert negative[i, j].item() == (known and first != second)


def test_an_own_partner_is_neither_positive_nor_negative():
    labels = torch.tensor([0, 0, 1])
    positive, negative = class_masks(labels, labels, torch.eye(3, dtype=torch.bool))
    assert positive.tolist() == [[False, True, False], [True, False, False], [False] * 3]
    assert negative.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
