"""The linear algebra that all closed-form CCA variants share.

Each within-view covariance is diagonalised once; every ridge then costs one scaling and one
singular value (two views) or eigenvalue (more views) decomposition, so that choosing the ridge on
validation data is cheap.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from models.cca.pair_moments import PairMoments
from models.errors import ShapeError
from models.types import Float64Array

LANCZOS_FROM = 400  # rows; below it the dense solver is as fast
RANK_TOLERANCE = 1e-10  # eigenvalues below this share of the largest count as zero


@dataclass(frozen=True, slots=True, eq=False)
class Projections:
    """A fitted linear map per view into K shared directions.

    Attributes:
        means: Shape (D_v,) per view; subtracted before projecting.
        weights: Shape (D_v, K) per view. For two views each direction has unit variance plus
            ridge; for M > 2 views the variances of a direction sum to M.
        correlations: Shape (K,), falling: canonical correlations for two views; for M > 2 the mean
            correlation over pairs, eigenvalue / (M - 1).
    """

    means: tuple[Float64Array, ...]
    weights: tuple[Float64Array, ...]
    correlations: Float64Array


class WhitenedMoments:
    """Moments in the eigenbases of the views, ready to be solved for any ridge."""

    def __init__(self, moments: PairMoments) -> None:
        within, between = moments.covariances()
        self._means = moments.means
        eigen = [scipy.linalg.eigh(c, driver="evd") for c in within]  # 4 times as fast as evr
        self._variances = [np.clip(values, 0.0, None) for values, _ in eigen]  # (D_v,), rising
        self._bases = [vectors for _, vectors in eigen]  # (D_v, D_v)
        self._between = {
            (v, w): self._bases[v].T @ c @ self._bases[w] for (v, w), c in between.items()
        }

    @property
    def dimensions(self) -> tuple[int, ...]:
        """D_v of each view."""
        return tuple(len(values) for values in self._variances)

    def solve(self, *, n_components: int, ridge: float) -> Projections:
        """Maximise the correlation of the views after adding the ridge to their variances.

        Two views: T = (S11 + r)^(-1/2) S12 (S22 + r)^(-1/2) = U diag(rho) V'. More views:
        multi-set CCA (Kettenring, "Canonical analysis of several sets of variables", Biometrika
        1971, as a generalised eigenproblem): the largest eigenvectors of the whitened between-view
        blocks.

        Args:
            n_components: K, at most the smallest D_v.
            ridge: r in squared feature units, >= 0; with 0, directions of no variance are dropped.

        Raises:
            ShapeError: If K or the ridge is out of range.
        """
        if not 1 <= n_components <= min(self.dimensions):
            raise ShapeError(f"n_components={n_components} for views of {self.dimensions}")
        if ridge < 0.0:
            raise ShapeError(f"expected a ridge >= 0, got {ridge}")
        scales = [_inverse_square_root(values, ridge) for values in self._variances]
        whitened = {
            (v, w): scales[v][:, None] * c * scales[w] for (v, w), c in self._between.items()
        }
        if len(self._bases) == 2:
            directions, correlations = _solve_two(whitened[0, 1], n_components)
        else:
            directions, correlations = _solve_many(whitened, self.dimensions, n_components)
        weights = tuple(
            basis @ (scale[:, None] * direction)
            for basis, scale, direction in zip(self._bases, scales, directions, strict=True)
        )
        return Projections(self._means, _fix_signs(weights), correlations)


def _inverse_square_root(values: Float64Array, ridge: float) -> Float64Array:
    """(values + ridge)^(-1/2), zero where there is nothing to invert; shape (D,)."""
    total = values + ridge
    floor = RANK_TOLERANCE * max(float(total.max()), np.finfo(float).tiny)
    return np.where(total > floor, 1.0 / np.sqrt(np.maximum(total, floor)), 0.0)


def _solve_two(
    whitened: Float64Array, n_components: int
) -> tuple[tuple[Float64Array, ...], Float64Array]:
    """The first K singular triplets, without a singular value decomposition of the whole.

    The leading left subspace comes from the smaller of T T' and T'T; within it the triplets are
    those of a K-row matrix (Rayleigh and Ritz), so that they are orthonormal to rounding.
    """
    if whitened.shape[0] > whitened.shape[1]:
        (right, left), correlations = _solve_two(whitened.T, n_components)
        return (left, right), correlations
    size = len(whitened)
    subset = (size - n_components, size - 1)
    _, basis = scipy.linalg.eigh(whitened @ whitened.T, subset_by_index=subset)  # (D, K)
    U, s, Vt = _svd(basis.T @ whitened)
    return (basis @ U, Vt.T), np.clip(s, 0.0, 1.0)


def _svd(matrix: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    try:
        return scipy.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:  # divide and conquer fails on a few finite matrices
        return scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")


def _solve_many(
    whitened: dict[tuple[int, int], Float64Array],
    dimensions: tuple[int, ...],
    n_components: int,
) -> tuple[tuple[Float64Array, ...], Float64Array]:
    starts = np.concatenate([[0], np.cumsum(dimensions)])
    blocks = np.zeros((starts[-1], starts[-1]))
    for (v, w), block in whitened.items():
        blocks[starts[v] : starts[v + 1], starts[w] : starts[w + 1]] = block
    blocks += blocks.T
    values, vectors = _largest_eigenpairs(blocks, n_components)
    vectors *= np.sqrt(len(dimensions))
    directions = tuple(vectors[starts[v] : starts[v + 1]] for v in range(len(dimensions)))
    return directions, np.clip(values / (len(dimensions) - 1), 0.0, 1.0)


def _largest_eigenpairs(matrix: Float64Array, count: int) -> tuple[Float64Array, Float64Array]:
    """The largest eigenvalues, falling, and their vectors as columns, of a symmetric matrix."""
    size = len(matrix)
    if size < LANCZOS_FROM or count > size // 8:
        values, vectors = scipy.linalg.eigh(matrix, subset_by_index=(size - count, size - 1))
    else:  # Lanczos needs some hundred products instead of a full reduction
        start = np.random.default_rng(0).normal(size=size)
        values, vectors = scipy.sparse.linalg.eigsh(matrix, count, which="LA", v0=start)
    order = np.argsort(-values)
    return values[order], vectors[:, order]


def _fix_signs(weights: tuple[Float64Array, ...]) -> tuple[Float64Array, ...]:
    """Flip each direction so that the largest weight of the first view is positive."""
    largest = np.abs(weights[0]).argmax(axis=0)
    signs = np.sign(weights[0][largest, np.arange(weights[0].shape[1])])
    signs[signs == 0.0] = 1.0
    return tuple(w * signs for w in weights)
