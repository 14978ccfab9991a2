"""Canonical correlation as a loss: differentiable, in double precision, without 1/(a - b) terms.

The correlation of two views is the sum of the leading singular values of
T = (S11 + r)^(-1/2) S12 (S22 + r)^(-1/2). Differentiating through an eigendecomposition divides by
differences of eigenvalues and breaks where two of them meet; the gradient with respect to the
covariances themselves needs no such term (Andrew, Arora, Bilmes, Livescu, "Deep Canonical
Correlation Analysis", ICML 2013, there with respect to the network outputs).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.errors import ShapeError


class Covariances(NamedTuple):
    """Second moments about the mean of two corresponding views, double precision.

    Attributes:
        first: S11, shape (K1, K1).
        second: S22, shape (K2, K2).
        between: S12, shape (K1, K2).
        first_mean: Shape (K1,).
        second_mean: Shape (K2,).
    """

    first: Tensor
    second: Tensor
    between: Tensor
    first_mean: Tensor
    second_mean: Tensor


class _CorrelationSum(torch.autograd.Function):
    """Sum of the leading singular values of the whitened cross-covariance."""

    @staticmethod
    def forward(
        ctx: Any, first: Tensor, second: Tensor, between: Tensor, n_components: int
    ) -> Tensor:
        """Sum the ``n_components`` largest canonical correlations."""
        whiten_first, whiten_second = _inverse_root(first), _inverse_root(second)
        U, s, Vt = torch.linalg.svd(whiten_first @ between @ whiten_second, full_matrices=False)
        U, s, Vt = U[:, :n_components], s[:n_components], Vt[:n_components]
        ctx.save_for_backward(whiten_first @ U, s, whiten_second @ Vt.T)
        return s.sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """d/dS12 = A B', d/dS11 = -1/2 A diag(s) A', d/dS22 = -1/2 B diag(s) B'."""
        A, s, B = ctx.saved_tensors  # (K1, k), (k,), (K2, k)
        (gradient,) = gradients
        first, second = -0.5 * (A * s) @ A.T, -0.5 * (B * s) @ B.T
        return gradient * first, gradient * second, gradient * (A @ B.T), None


def paired_covariances(first: Tensor, second: Tensor) -> Covariances:
    """Covariances of rows with the same number.

    Args:
        first: Shape (B, K1).
        second: Shape (B, K2).

    Raises:
        ShapeError: If there are fewer than two rows or their numbers differ.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ShapeError(f"expected two or more paired rows, got {len(first)} and {len(second)}")
    x, y = first.double(), second.double()
    means = x.mean(dim=0), y.mean(dim=0)
    x, y = x - means[0], y - means[1]
    return Covariances(x.T @ x / len(x), y.T @ y / len(x), x.T @ y / len(x), *means)


def cluster_covariances(
    first: Tensor, second: Tensor, first_labels: Tensor, second_labels: Tensor
) -> Covariances:
    """Covariances of all pairs of same-class rows, from class sums (Rasiwasia et al. 2014).

    Args:
        first: Shape (B1, K1).
        second: Shape (B2, K2).
        first_labels: Shape (B1,); rows of class -1, and of classes the other view lacks, are left
            out.
        second_labels: Shape (B2,).

    Raises:
        ShapeError: If no class occurs in both views.
    """
    n_classes = int(torch.cat([first_labels, second_labels]).max()) + 1 if len(first) else 0
    members = [_memberships(labels, n_classes) for labels in (first_labels, second_labels)]
    counts = [member.sum(dim=0) for member in members]  # (C,)
    pairs = counts[0] * counts[1]
    if float(pairs.sum()) == 0.0:
        raise ShapeError("expected a class with rows in both views, found none")
    share = pairs / pairs.sum()
    x, y = first.double(), second.double()
    per_row = [
        member @ (share / count.clamp(min=1.0))
        for member, count in zip(members, counts, strict=True)
    ]
    means = per_row[0] @ x, per_row[1] @ y
    x, y = x - means[0], y - means[1]
    class_means = [
        member.T @ rows / count.clamp(min=1.0)[:, None]
        for member, rows, count in zip(members, (x, y), counts, strict=True)
    ]  # (C, K) each
    return Covariances(
        (x * per_row[0][:, None]).T @ x,
        (y * per_row[1][:, None]).T @ y,
        (class_means[0] * share[:, None]).T @ class_means[1],
        *means,
    )


def mixed_covariances(paired: Covariances, cluster: Covariances, beta: float) -> Covariances:
    """A correspondence is a true pair with probability beta, else a pair of one class.

    The mean of the mixture lies between the two means, so their distance adds to the covariances.

    Args:
        paired: From ``paired_covariances``.
        cluster: From ``cluster_covariances``.
        beta: In [0, 1].
    """
    first, second, between, first_mean, second_mean = (
        beta * p + (1.0 - beta) * c for p, c in zip(paired, cluster, strict=True)
    )
    a = paired.first_mean - cluster.first_mean  # (K1,)
    b = paired.second_mean - cluster.second_mean  # (K2,)
    spread = beta * (1.0 - beta)
    return Covariances(
        first + spread * torch.outer(a, a),
        second + spread * torch.outer(b, b),
        between + spread * torch.outer(a, b),
        first_mean,
        second_mean,
    )


def correlation_loss(covariances: Covariances, *, n_components: int, ridge: float) -> Tensor:
    """Minus the mean of the leading canonical correlations, a number in [-1, 0].

    Args:
        covariances: Of the two views.
        n_components: How many correlations count, at most the smaller K.
        ridge: r added to both variances as a share of the mean variance of the view, > 0, so that
            the loss does not change when outputs are scaled.
    """
    k = min(n_components, *covariances.between.shape)
    total: Tensor = _CorrelationSum.apply(  # type: ignore[no-untyped-call]
        _ridged(covariances.first, ridge),
        _ridged(covariances.second, ridge),
        covariances.between,
        k,
    )
    return -total / k


def mean_over_pairs(losses: Sequence[Tensor]) -> Tensor:
    """Mean of the losses of all pairs of views."""
    return torch.stack(list(losses)).mean()


def view_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs of views, each once."""
    return list(combinations(names, 2))


def _ridged(covariance: Tensor, ridge: float) -> Tensor:
    size = len(covariance)
    mean_variance = torch.diagonal(covariance).mean().clamp(min=1e-12)
    return covariance + ridge * mean_variance * torch.eye(size, dtype=covariance.dtype).to(
        covariance
    )


def _inverse_root(matrix: Tensor) -> Tensor:
    """M^(-1/2) of a symmetric positive definite matrix, by ``eigh``."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors / values.clamp(min=1e-15).sqrt()) @ vectors.T


def _memberships(labels: Tensor, n_classes: int) -> Tensor:
    """One-hot rows (B, C) in double precision, zeros for class -1."""
    classes = torch.arange(max(n_classes, 1), device=labels.device)
    return (labels[:, None] == classes[None, :]).double()
