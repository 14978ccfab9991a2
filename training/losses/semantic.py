"""Losses of class predictions and class likeness, as the released code of VAE-CCA has them.

They come from DSCMR (Zhen, Hu, Wang, Peng, "Deep Supervised Cross-modal Retrieval", CVPR 2019).
Rows of class -1 are left out everywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional


def classification_loss(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy over the rows (B, C) whose class is known; 0 where there are none."""
    known = labels >= 0
    if not bool(known.any()):
        return logits.sum() * 0.0
    return functional.cross_entropy(logits[known], labels[known], label_smoothing=smoothing)


def one_hot_distance(predictions: Tensor, labels: Tensor) -> Tensor:
    """L_dis: mean of ||y^_i - onehot_i||_2 over rows (B, C) of known class."""
    known = labels >= 0
    if not bool(known.any()):
        return predictions.sum() * 0.0
    wanted = functional.one_hot(labels[known], predictions.shape[1]).to(predictions)
    return (predictions[known] - wanted).norm(dim=1).mean()


def likeness_loss(
    first: Tensor, second: Tensor, first_labels: Tensor, second_labels: Tensor
) -> Tensor:
    """L_cor of two views: mean over i, j of log(1 + e^t) - S t, t = cos(z~_i, z~_j) / 2.

    S is 1 for the same class and 0 else; z~ is z less the mean of its own entries.

    Args:
        first: Rows of one view, shape (B1, K).
        second: Rows of the other (or the same) view, shape (B2, K).
        first_labels: Shape (B1,).
        second_labels: Shape (B2,).
    """
    known = (first_labels[:, None] >= 0) & (second_labels[None, :] >= 0)
    if not bool(known.any()):
        return (first.sum() + second.sum()) * 0.0
    a = functional.normalize(first - first.mean(dim=1, keepdim=True), dim=1)
    b = functional.normalize(second - second.mean(dim=1, keepdim=True), dim=1)
    t = 0.5 * a @ b.T
    same = (first_labels[:, None] == second_labels[None, :]).to(t)
    return (functional.softplus(t) - same * t)[known].mean()


def pair_distance(first: Tensor, second: Tensor) -> Tensor:
    """L_pair: mean of ||z_i - w_i||_2 over paired rows (B, K); 0 where there are none."""
    if not len(first):
        return (first.sum() + second.sum()) * 0.0
    return (first - second).norm(dim=1).mean()


def centre_distance(rows: Tensor, labels: Tensor, centres: Tensor) -> Tensor:
    """L_cen of one view: 1/4 mean of ||z_i - c_(y_i)||^2 / n_(y_i), n the class count in the batch.

    Args:
        rows: Shape (B, K).
        labels: Shape (B,).
        centres: Shape (C, K).
    """
    known = labels >= 0
    if not bool(known.any()):
        return rows.sum() * 0.0
    labels, rows = labels[known], rows[known]
    counts = torch.bincount(labels, minlength=len(centres))[labels].to(rows)
    return 0.25 * ((rows - centres[labels]).square().sum(dim=1) / counts).mean()
