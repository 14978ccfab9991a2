"""Losses of classes against NumPy loops written from the released code's formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from training.losses.semantic import (
    centre_distance,
    classification_loss,
    likeness_loss,
    one_hot_distance,
    pair_distance,
)

LABELS = np.array([0, 2, -1, 1, 2, -1, 0])
OTHERS = np.array([2, -1, 0, 1, 1])
DTYPES = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)], ids=["float32", "float64"]
)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def tensor(array, dtype=np.float64):
    return torch.from_numpy(array.astype(dtype))


@DTYPES
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_classification_is_the_mean_cross_entropy_of_known_rows(dtype, tolerance, smoothing):
    logits = draw(7, 3)
    losses = []
    for row, label in zip(logits, LABELS, strict=True):
        if label >= 0:
            wanted = np.full(3, smoothing / 3)
            wanted[label] += 1.0 - smoothing
            losses.append(-np.sum(wanted * (row - np.log(np.sum(np.exp(row))))))
    found = classification_loss(
        tensor(logits, dtype), torch.from_numpy(LABELS), smoothing=smoothing
    )
    assert found.item() == pytest.approx(np.mean(losses), rel=tolerance)


@DTYPES
def test_one_hot_distance_is_the_mean_norm_over_known_rows(dtype, tolerance):
    predictions = draw(7, 3, seed=1)
    losses = []
    for row, label in zip(predictions, LABELS, strict=True):
        if label >= 0:
            wanted = [1.0 if c == label else 0.0 for c in range(3)]
            losses.append(math.sqrt(sum((p - w) ** 2 for p, w in zip(row, wanted, strict=True))))
    found = one_hot_distance(tensor(predictions, dtype), torch.from_numpy(LABELS))
    assert found.item() == pytest.approx(np.mean(losses), rel=tolerance)


def looped_likeness(first, second, labels, others):
    terms = []
    for z, y in zip(first, labels, strict=True):
        for w, o in zip(second, others, strict=True):
            if y >= 0 and o >= 0:
                a, b = z - z.mean(), w - w.mean()
                t = a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) / 2
                terms.append(math.log(1 + math.exp(t)) - (y == o) * t)
    return np.mean(terms)


@DTYPES
def test_likeness_of_two_views_equals_the_loop(dtype, tolerance):
    first, second = draw(7, 4, seed=2), draw(5, 4, seed=3)
    labels = torch.from_numpy(LABELS), torch.from_numpy(OTHERS)
    found = likeness_loss(tensor(first, dtype), tensor(second, dtype), *labels)
    expected = looped_likeness(first, second, LABELS, OTHERS)
    assert found.item() == pytest.approx(expected, rel=tolerance)


def test_likeness_within_a_view_equals_the_loop():
    rows, labels = draw(7, 4, seed=4), torch.from_numpy(LABELS)
    found = likeness_loss(tensor(rows), tensor(rows), labels, labels)
    assert found.item() == pytest.approx(looped_likeness(rows, rows, LABELS, LABELS))


def test_likeness_of_constant_rows_is_finite_with_its_gradient():
    rows = torch.ones(3, 4, requires_grad=True)
    loss = likeness_loss(rows, rows, torch.tensor([0, 0, 1]), torch.tensor([0, 0, 1]))
    (gradient,) = torch.autograd.grad(loss, rows)
    assert loss.item() == pytest.approx(math.log(2.0))
    assert torch.isfinite(gradient).all()


@DTYPES
def test_pair_distance_is_the_mean_norm_of_the_difference(dtype, tolerance):
    first, second = draw(6, 3, seed=5), draw(6, 3, seed=6)
    expected = np.mean([np.linalg.norm(z - w) for z, w in zip(first, second, strict=True)])
    found = pair_distance(tensor(first, dtype), tensor(second, dtype))
    assert found.item() == pytest.approx(expected, rel=tolerance)


def test_pair_distance_of_equal_rows_is_zero_with_a_finite_gradient():
    rows = torch.ones(3, 2, requires_grad=True)
    loss = pair_distance(rows, torch.ones(3, 2))
    (gradient,) = torch.autograd.grad(loss, rows)
    assert loss.item() == 0.0
    assert torch.isfinite(gradient).all()


@DTYPES
def test_centre_distance_divides_by_the_class_count_of_the_batch(dtype, tolerance):
    rows, centres = draw(7, 4, seed=7), draw(3, 4, seed=8)
    known = LABELS[LABELS >= 0].tolist()
    terms = [
        np.sum((z - centres[y]) ** 2) / known.count(y)
        for z, y in zip(rows, LABELS, strict=True)
        if y >= 0
    ]
    expected = 0.5 / 2 * np.mean(terms)
    found = centre_distance(tensor(rows, dtype), torch.from_numpy(LABELS), tensor(centres, dtype))
    assert found.item() == pytest.approx(expected, rel=tolerance)


def unknown(n_rows):
    return torch.full((n_rows,), -1)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: classification_loss(x, unknown(3)),
        lambda x: one_hot_distance(x, unknown(3)),
        lambda x: likeness_loss(x, x, unknown(3), torch.tensor([0, 1, 2])),
        lambda x: pair_distance(x[:0], x[:0]),
        lambda x: centre_distance(x, unknown(3), torch.zeros(2, 2)),
    ],
    ids=["classification", "one-hot", "likeness", "pair", "centre"],
)
def test_without_known_rows_a_loss_is_zero_with_a_gradient(loss):
    rows = torch.randn(3, 2, requires_grad=True)
    found = loss(rows)
    (gradient,) = torch.autograd.grad(found, rows)
    assert found.item() == 0.0
    assert not gradient.any()


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, y: classification_loss(x, y, smoothing=0.1),
        one_hot_distance,
        lambda x, y: likeness_loss(x, x, y, y),
        lambda x, y: centre_distance(x, y, torch.eye(3).double()),
    ],
    ids=["classification", "one-hot", "likeness", "centre"],
)
@given(st.permutations(range(7)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_changes_nothing(loss, order):
    rows, labels = tensor(draw(7, 3, seed=9)), torch.from_numpy(LABELS)
    assert loss(rows[order], labels[order]).item() == pytest.approx(loss(rows, labels).item())


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, y: classification_loss(x, y, smoothing=0.1),
        one_hot_distance,
        lambda x, y: likeness_loss(x, x, y, y),
        lambda x, _: pair_distance(x, x.flip(0) + 1.0),
        lambda x, y: centre_distance(x, y, torch.eye(3).double()),
    ],
    ids=["classification", "one-hot", "likeness", "pair", "centre"],
)
def test_gradients_equal_finite_differences(loss):
    labels = torch.from_numpy(LABELS)
    rows = tensor(draw(7, 3, seed=10)).requires_grad_()
    assert gradcheck(lambda x: loss(x, labels), (rows,))
