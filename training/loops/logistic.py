"""Multinomial logistic regression of one view, as plain arrays."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.cca.semantic_matching import posteriors
from models.types import Float64Array, Int64Array

MAX_ITERATIONS = 500
TOLERANCE = 1e-4
LEAST_PROBABILITY = 1e-12  # one sure mistake does not decide the whole loss


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """p(class | x) = softmax(W'x + b).

    Attributes:
        weights: Shape (D, C).
        bias: Shape (C,).
    """

    weights: Float64Array
    bias: Float64Array

    def logits(self, rows: Float64Array) -> Float64Array:
        """W'x + b for rows (N, D), shape (N, C)."""
        return rows @ self.weights + self.bias


def fit_classifier(rows: Float64Array, labels: Int64Array, penalty: float) -> Classifier:
    """Minimise the mean of -log p(label | x) plus penalty / 2 times the sum of squared weights.

    Args:
        rows: Shape (N, D).
        labels: Class of each row, shape (N,), at least two classes; columns of the result are in
            ascending order of those that occur.
        penalty: > 0; the bias is not penalised.
    """
    strength = 1.0 / (penalty * len(rows))
    if len(np.unique(labels)) == 2:  # the squared difference is twice the sum of the two squares
        strength *= 2.0
    model = LogisticRegression(
        C=strength, solver="newton-cg", tol=TOLERANCE, max_iter=MAX_ITERATIONS
    )
    with threadpool_limits(limits=1, user_api="blas"):  # products too small to share out
        model.fit(rows, labels)
    if len(model.classes_) == 2:  # scikit-learn keeps the difference of the two columns
        halves = np.array([-0.5, 0.5])
        return Classifier(model.coef_.T * halves, model.intercept_ * halves)
    return Classifier(model.coef_.T, model.intercept_)


def log_loss(logits: Float64Array, labels: Int64Array) -> float:
    """Mean of -log p(label).

    Args:
        logits: Shape (N, C).
        labels: Column of the right class, shape (N,).
    """
    right = posteriors(logits)[np.arange(len(labels)), labels]
    return -float(np.mean(np.log(np.maximum(right, LEAST_PROBABILITY))))
