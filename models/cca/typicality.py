"""How much a feature row looks like the rows a space was trained on.

Cosine similarity forgets the length of a vector: a row far from all training data still has a
nearest neighbour with a high cosine. The distance to the training distribution is measured with
probabilistic PCA (Tipping and Bishop, "Probabilistic Principal Component Analysis", JRSS B 1999):
the leading principal directions keep their own variances, the rest share one.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from models.types import Float32Array, Float64Array

N_DIRECTIONS = 48
QUANTILE = 0.99  # of the held-out distances that still count as fully typical
MARGIN = 1.5  # held-out rows of another day lie a little further out


@dataclass(frozen=True, slots=True, eq=False)
class TypicalityModel:
    """A Gaussian of low rank plus noise over standardised rows.

    Attributes:
        basis: Leading principal directions, shape (D, R).
        variances: Variance along each, shape (R,), positive.
        residual_variance: Mean variance of the D - R other directions, shape (1,), positive.
        threshold: Squared distance per dimension up to which a row is typical, shape (1,).
    """

    basis: Float64Array
    variances: Float64Array
    residual_variance: Float64Array
    threshold: Float64Array

    def distances(self, rows: Float64Array) -> Float64Array:
        """Squared Mahalanobis distance per dimension, about 1 for training rows.

        Args:
            rows: Standardised features, shape (N, D).

        Returns:
            Shape (N,).
        """
        return np.array([self._distance(row) for row in rows], dtype=np.float64)

    def typicality(self, rows: Float64Array) -> Float32Array:
        """min(1, threshold / distance), shape (N,), in (0, 1]."""
        distances = self.distances(rows)
        ratio = self.threshold[0] / np.maximum(distances, self.threshold[0])
        return np.maximum(ratio, np.finfo(np.float32).tiny).astype(np.float32)

    def _distance(self, row: Float64Array) -> float:
        scores = row @ self.basis  # (R,)
        residual = max(float(row @ row - scores @ scores), 0.0)
        explained = float(np.sum(scores**2 / self.variances))
        return (explained + residual / float(self.residual_variance[0])) / len(row)


def fit_typicality(train: Float64Array, held_out: Float64Array) -> TypicalityModel:
    """Fit on training rows and set the threshold on rows that were not fitted.

    Args:
        train: Standardised features, shape (N, D).
        held_out: Standardised rows of the same kind, shape (N_held_out, D), N_held_out >= 1.
    """
    dimension = train.shape[1]
    rank = max(1, min(N_DIRECTIONS, dimension - 1, len(train) // 4))
    covariance = train.T @ train / len(train)
    leading = (dimension - rank, dimension - 1)
    values, vectors = scipy.linalg.eigh(covariance, subset_by_index=leading)
    rest = float(np.trace(covariance) - values.sum())  # the sum of the other eigenvalues
    noise = max(rest / (dimension - rank) if rank < dimension else 0.0, 1e-3)
    model = TypicalityModel(
        basis=vectors[:, ::-1],
        variances=np.maximum(values[::-1], noise),
        residual_variance=np.array([noise]),
        threshold=np.array([1.0]),
    )
    threshold = MARGIN * float(np.quantile(model.distances(held_out), QUANTILE))
    return TypicalityModel(
        model.basis, model.variances, model.residual_variance, np.array([threshold])
    )
