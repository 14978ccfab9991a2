"""Logistic regression against scikit-learn and a plain minimiser of the stated loss."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss as reference_log_loss

from training.loops.logistic import LEAST_PROBABILITY, Classifier, fit_classifier, log_loss


def _classed_rows(seed, n_classes, n_rows=60):
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) % n_classes
    return rng.normal(size=(n_classes, 3))[labels] + rng.normal(size=(n_rows, 3)), labels


def _stated_loss(numbers, rows, labels, penalty):
    """Mean of -log p(label | x) plus penalty / 2 times the sum of squared weights."""
    weights, bias = numbers[:-1], numbers[-1]
    logits = rows @ weights + bias
    right = logits[np.arange(len(labels)), labels] - scipy.special.logsumexp(logits, axis=1)
    return -right.mean() + 0.5 * penalty * np.sum(weights**2)


@pytest.mark.parametrize("penalty", [0.01, 0.3])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_stated_loss_is_at_its_least(n_classes, penalty):
    rows, labels = _classed_rows(0, n_classes)
    fit = fit_classifier(rows, labels, penalty)
    found = _stated_loss(np.vstack([fit.weights, fit.bias]), rows, labels, penalty)
    least = scipy.optimize.minimize(
        lambda x: _stated_loss(x.reshape(4, n_classes), rows, labels, penalty),
        np.zeros(4 * n_classes),
    ).fun
    assert found == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("n_classes", [3, 5])
def test_probabilities_equal_those_of_scikit_learn(n_classes):
    rows, labels = _classed_rows(1, n_classes)
    reference = LogisticRegression(C=1.0 / (0.1 * len(rows)), tol=1e-9, max_iter=2000)
    expected = reference.fit(rows, labels).predict_proba(rows)
    logits = fit_classifier(rows, labels, 0.1).logits(rows)
    np.testing.assert_allclose(scipy.special.softmax(logits, axis=1), expected, atol=1e-3)


def test_two_classes_have_a_column_each_and_the_probabilities_of_scikit_learn():
    rows, labels = _classed_rows(2, 2)
    reference = LogisticRegression(C=2.0 / (0.1 * len(rows)), tol=1e-9, max_iter=2000)
    expected = reference.fit(rows, labels).predict_proba(rows)
    fit = fit_classifier(rows, labels, 0.1)
    assert fit.weights.shape == (3, 2)
    assert fit.bias.shape == (2,)
    np.testing.assert_allclose(scipy.special.softmax(fit.logits(rows), axis=1), expected, atol=1e-3)


def test_columns_are_in_ascending_order_of_the_classes_that_occur():
    rows, labels = _classed_rows(3, 3)
    numbered = np.array([7, 2, 9])[labels]
    fit, expected = fit_classifier(rows, numbered, 0.1), fit_classifier(rows, labels, 0.1)
    np.testing.assert_allclose(fit.weights, expected.weights[:, [1, 0, 2]], atol=1e-3)


def test_logits_are_the_written_out_affine_map():
    classifier = Classifier(np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0.5, 0.0]))
    np.testing.assert_array_equal(classifier.logits(np.array([[2.0, 3.0]])), [[2.5, 1.0]])


def test_log_loss_equals_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    logits, labels = rng.normal(size=(20, 3)) * 3, np.arange(20) % 3
    expected = reference_log_loss(labels, scipy.special.softmax(logits, axis=1))
    assert log_loss(logits, labels) == pytest.approx(expected, rel=1e-10)


def test_one_sure_mistake_does_not_decide_the_whole_loss():
    logits = np.array([[1e4, 0.0], [0.0, 0.0]])
    expected = (-np.log(LEAST_PROBABILITY) + np.log(2.0)) / 2.0
    assert log_loss(logits, np.array([1, 0])) == pytest.approx(expected)
