"""Losses of a batch as loops over rows, to compare the vectorised ones with."""

import math

import numpy as np
import scipy.linalg


def corresponding_pairs(batch, names, beta):
    """(row, row, weight) of true pairs and of same-class pairs; the weights sum to one."""
    first, second = names
    true = [
        i for i, own in enumerate(batch.own[first].tolist()) if own and bool(batch.own[second][i])
    ]
    classes = [batch.labels[name].tolist() for name in names]
    same = [
        (i, j)
        for i, x in enumerate(classes[0])
        for j, y in enumerate(classes[1])
        if x == y and x != -1
    ]
    pairs = [(i, i, beta / len(true)) for i in true] if beta else []
    return pairs + ([(i, j, (1 - beta) / len(same)) for i, j in same] if beta < 1 else [])


def pair_covariances(x, y, pairs):
    """S11, S22 and S12 about the mean of weighted pairs of rows."""
    weights = np.array([weight for *_, weight in pairs])
    x, y = x[[i for i, *_ in pairs]], y[[j for _, j, _ in pairs]]
    x, y = x - weights @ x, y - weights @ y
    weighted_x, weighted_y = x * weights[:, None], y * weights[:, None]
    return x.T @ weighted_x, y.T @ weighted_y, x.T @ weighted_y


def correlation(first, second, between, *, k, ridge):
    """Minus the mean of the k largest singular values of the whitened cross-covariance."""
    roots = [
        np.linalg.inv(scipy.linalg.sqrtm(c + ridge * np.trace(c) / len(c) * np.eye(len(c))))
        for c in (first, second)
    ]
    return -np.linalg.svd(roots[0] @ between @ roots[1], compute_uv=False)[:k].mean()


def batch_correlation(outputs, batch, names, beta, *, k, ridge):
    """Correlation loss of two views of a batch."""
    x, y = (outputs[name] for name in names)
    covariances = pair_covariances(x, y, corresponding_pairs(batch, names, beta))
    return correlation(*covariances, k=k, ridge=ridge)


def squared(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def triplets(rows, batch, direction, *, margin, active, exclude_partner):
    """Mean hinge over all (anchor, positive, negative), or over those with a loss."""
    anchor, other = direction
    classes = [batch.labels[name].tolist() for name in direction]
    own = [batch.own[name].tolist() for name in direction]
    losses = []
    for i, a in enumerate(rows[anchor]):
        for j, p in enumerate(rows[other]):
            is_self = anchor == other and i == j
            is_partner = exclude_partner and i == j and own[0][i] and own[1][j]
            if classes[0][i] == -1 or classes[1][j] != classes[0][i] or is_self or is_partner:
                continue
            losses += [
                max(0.0, squared(a, p) - squared(a, n) + margin)
                for m, n in enumerate(rows[other])
                if classes[1][m] not in (-1, classes[0][i])
            ]
    if active:
        losses = [loss for loss in losses if loss > 0.0]
    return sum(losses) / max(len(losses), 1)


def partner_triplets(rows, batch, direction, *, margin):
    """Mean over those with a loss; the partner is the positive, every other row a negative."""
    anchor, other = direction
    losses = [
        squared(rows[anchor][i], rows[other][i]) - squared(rows[anchor][i], n) + margin
        for i in range(len(rows[anchor]))
        for j, n in enumerate(rows[other])
        if j != i and batch.own[anchor][i] and batch.own[other][i]
    ]
    losses = [loss for loss in losses if loss > 0.0]
    return sum(losses) / max(len(losses), 1)


def info_nce(similarities, positives, candidates):
    """Mean over anchors of the mean of -log softmax at their positives.

    Args:
        similarities: Rows of numbers, divided by the temperature.
        positives: Numbers of the positives of each anchor.
        candidates: Numbers of all that stand in its softmax.
    """
    losses = []
    for row, right, among in zip(similarities, positives, candidates, strict=True):
        if right:
            total = sum(math.exp(row[j]) for j in among)
            losses.append(-sum(math.log(math.exp(row[j]) / total) for j in right) / len(right))
    return sum(losses) / max(len(losses), 1)


def cross_entropy(logits, labels):
    """Mean over rows of known class."""
    losses = [
        -math.log(math.exp(row[label]) / sum(math.exp(x) for x in row))
        for row, label in zip(logits, labels, strict=True)
        if label >= 0
    ]
    return sum(losses) / max(len(losses), 1)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
