"""The feature map of a Gaussian (RBF) kernel, spanned by landmark rows.

The kernel k(x, y) = exp(-gamma |x - y|^2) is the inner product of feature vectors that are never
written down. Their projections onto the span of m landmarks can be (Williams and Seeger, "Using
the Nystroem Method to Speed Up Kernel Machines", NIPS 2001):
phi(x) = L^(-1/2) V' k_m(x), with k_m(x) the kernel values of x and the landmarks and V L V' the
eigendecomposition of the kernel matrix of the landmarks. phi(x)'phi(y) equals k(x, y) where x or y
is a landmark; with every training row as a landmark nothing is approximated.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from models.errors import ShapeError
from models.types import Float64Array

RANK_TOLERANCE = 1e-10  # eigenvalues below this share of the largest count as zero
ROWS_FOR_MEDIAN = 1000  # half a million distances settle a median


@dataclass(frozen=True, slots=True, eq=False)
class KernelMap:
    """phi(x) = whitening' k_m(x).

    Attributes:
        landmarks: Shape (m, D).
        gamma: Width of the kernel, > 0, in 1 / squared feature units.
        whitening: V L^(-1/2), shape (m, R), R <= m without the directions of no length.
    """

    landmarks: Float64Array
    gamma: float
    whitening: Float64Array

    def __call__(self, rows: Float64Array) -> Float64Array:
        """Feature vectors of rows (N, D), shape (N, R); their length is at most 1."""
        return rbf_kernel(rows, self.landmarks, self.gamma) @ self.whitening


def rbf_kernel(rows: Float64Array, landmarks: Float64Array, gamma: float) -> Float64Array:
    """exp(-gamma |x - y|^2) for rows (N, D) and landmarks (m, D), shape (N, m)."""
    return np.exp(-gamma * _squared_distances(rows, landmarks))


def fit_kernel_map(landmarks: Float64Array, gamma: float) -> KernelMap:
    """Diagonalise the kernel matrix of the landmarks (m, D).

    Raises:
        ShapeError: If there is no landmark or gamma is not positive.
    """
    if landmarks.ndim != 2 or not len(landmarks) or not gamma > 0.0:
        raise ShapeError(
            f"expected landmarks of shape (m, D) and gamma > 0, got {landmarks.shape} and {gamma}"
        )
    kernel = rbf_kernel(landmarks, landmarks, gamma)
    values, vectors = scipy.linalg.eigh(kernel, driver="evd")
    kept = values > RANK_TOLERANCE * values[-1]
    return KernelMap(landmarks, gamma, vectors[:, kept] / np.sqrt(values[kept]))


def median_gamma(rows: Float64Array, generator: np.random.Generator) -> float:
    """1 / median squared distance of rows (N, D): the usual width to start from.

    At most ``ROWS_FOR_MEDIAN`` rows are looked at. Rows all alike, or a single row, give 1.
    """
    if len(rows) < 2:
        return 1.0
    drawn = choose_landmarks(rows, ROWS_FOR_MEDIAN, generator)
    pairs = np.triu_indices(len(drawn), k=1)
    median = float(np.median(_squared_distances(drawn, drawn)[pairs]))
    return 1.0 / median if median > 0.0 else 1.0


def choose_landmarks(
    rows: Float64Array, count: int, generator: np.random.Generator
) -> Float64Array:
    """Draw ``count`` rows of (N, D) without repetition, in their order; all where N is smaller."""
    if len(rows) <= count:
        return rows
    return rows[np.sort(generator.choice(len(rows), count, replace=False))]


def _squared_distances(a: Float64Array, b: Float64Array) -> Float64Array:
    """|x - y|^2 of rows (N, D) and (m, D), shape (N, m)."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)
    return np.maximum(squares - 2.0 * a @ b.T, 0.0)
