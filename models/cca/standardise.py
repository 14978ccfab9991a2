"""Centre and scale of each feature, from training rows."""

from dataclasses import dataclass

import numpy as np

from models.types import Float64Array

SCALE_FLOOR = 0.1  # of the root mean square scale: rare features are not blown up


@dataclass(frozen=True, slots=True, eq=False)
class Standardiser:
    """z = (x - mean) / scale.

    Attributes:
        mean: Shape (D,).
        scale: Shape (D,), positive.
    """

    mean: Float64Array
    scale: Float64Array

    def __call__(self, features: Float64Array) -> Float64Array:
        """Standardise rows of shape (N, D)."""
        return (features - self.mean) / self.scale

    def moved(self, mean: Float64Array) -> "Standardiser":
        """The same scale about another centre, given in standardised units, shape (D,)."""
        return Standardiser(self.mean + mean * self.scale, self.scale)


def fit_standardiser(features: Float64Array) -> Standardiser:
    """Mean and standard deviation of training rows (N, D), with a floor for rare features."""
    deviation = features.std(axis=0)
    floor = SCALE_FLOOR * float(np.sqrt(np.mean(deviation**2)))
    return Standardiser(features.mean(axis=0), np.maximum(deviation, floor if floor > 0 else 1.0))
