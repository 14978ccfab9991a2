"""Triplet losses between two views: an anchor nearer to its positives than to its negatives."""

import torch
from torch import Tensor

from models.errors import ShapeError

MININGS = ("all", "active", "semi-hard", "hard")


def squared_distances(anchors: Tensor, others: Tensor) -> Tensor:
    """||a_i - b_j||^2, shape (A, B), of rows (A, K) and (B, K)."""
    products = anchors @ others.T
    squares = anchors.square().sum(dim=1)[:, None] + others.square().sum(dim=1)[None, :]
    return (squares - 2.0 * products).clamp(min=0.0)


def triplet_loss(
    distances: Tensor, positive: Tensor, negative: Tensor, *, margin: float, mining: str
) -> Tensor:
    """Mean of max(0, d(a, p) - d(a, n) + margin) over the triplets that the mining keeps.

    Args:
        distances: d(anchor, other), shape (A, B).
        positive: Which others are positives of an anchor, shape (A, B), bool.
        negative: Which are negatives, shape (A, B), bool.
        margin: In the unit of the distances.
        mining: ``all`` (every triplet, as TNN-C-CCA released it), ``active`` (those with a loss),
            ``semi-hard`` (active ones whose negative is farther than the positive; Schroff,
            Kalenichenko, Philbin, "FaceNet", CVPR 2015), ``hard`` (the farthest positive and the
            nearest negative of each anchor; Hermans, Beyer, Leibe, arXiv:1703.07737).

    Returns:
        A number >= 0; 0 where there is no triplet.

    Raises:
        ShapeError: If the mining is unknown.
    """
    if mining not in MININGS:
        raise ShapeError(f"expected mining of {MININGS}, got {mining!r}")
    if mining == "hard":
        return _hardest(distances, positive, negative, margin)
    gaps = distances[:, :, None] - distances[:, None, :]  # (A, P, N)
    valid = positive[:, :, None] & negative[:, None, :]
    losses = (gaps + margin).clamp(min=0.0)
    if mining == "active":
        valid = valid & (losses > 0.0)
    if mining == "semi-hard":
        valid = valid & (losses > 0.0) & (gaps < 0.0)
    return (losses * valid).sum() / valid.sum().clamp(min=1)


def _hardest(distances: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    anchors = positive.any(dim=1) & negative.any(dim=1)
    if not bool(anchors.any()):
        return distances.sum() * 0.0
    far = distances.masked_fill(~positive, -torch.inf).amax(dim=1)[anchors]
    near = distances.masked_fill(~negative, torch.inf).amin(dim=1)[anchors]
    return (far - near + margin).clamp(min=0.0).mean()


def partner_triplet_loss(distances: Tensor, paired: Tensor, *, margin: float) -> Tensor:
    """Mean active loss of triplets whose positive is the partner and whose negatives all others.

    Args:
        distances: d(anchor i, other j), shape (B, B); the partner of anchor i is other i.
        paired: Anchors with a true partner, shape (B,), bool.
        margin: In the unit of the distances.

    Returns:
        A number >= 0; 0 where no triplet has a loss.
    """
    itself = torch.eye(len(distances), dtype=torch.bool, device=distances.device)
    gaps = torch.diagonal(distances)[:, None] - distances + margin
    losses = gaps.clamp(min=0.0).masked_fill(itself | ~paired[:, None], 0.0)
    return losses.sum() / (losses > 0.0).sum().clamp(min=1)


def class_masks(
    anchor_labels: Tensor, other_labels: Tensor, own_partner: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Positives (same class) and negatives (another class), both (A, B); -1 is neither.

    Args:
        anchor_labels: Shape (A,).
        other_labels: Shape (B,).
        own_partner: Pairs to leave out of the positives, shape (A, B), as the released code does
            with an item's own partner.
    """
    known = (anchor_labels[:, None] >= 0) & (other_labels[None, :] >= 0)
    same = anchor_labels[:, None] == other_labels[None, :]
    positive = known & same
    if own_partner is not None:
        positive = positive & ~own_partner
    return positive, known & ~same
