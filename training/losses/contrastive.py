"""InfoNCE with any number of positives per anchor."""

import torch
from torch import Tensor


def info_nce(similarities: Tensor, positive: Tensor, candidates: Tensor | None = None) -> Tensor:
    """Mean over anchors of -(1/|P_i|) sum over p in P_i of log softmax_j(s_ij)_p.

    With one positive per anchor this is InfoNCE (van den Oord, Li, Vinyals, arXiv:1807.03748);
    with all same-class items as positives, supervised contrastive learning (Khosla et al.,
    NeurIPS 2020, "sum outside").

    Args:
        similarities: s_ij divided by the temperature, shape (A, B).
        positive: Shape (A, B), bool; anchors without a positive are left out.
        candidates: Which items stand in the softmax, shape (A, B), bool; None for all. Positives
            always do.

    Returns:
        A number >= 0; 0 where no anchor has a positive.
    """
    if candidates is not None:
        similarities = similarities.masked_fill(~(candidates | positive), -torch.inf)
    log_share = similarities - similarities.logsumexp(dim=1, keepdim=True)
    counts = positive.sum(dim=1)
    summed = log_share.masked_fill(~positive, 0.0).sum(dim=1)
    anchors = counts > 0
    if not bool(anchors.any()):
        return similarities.masked_fill(torch.isinf(similarities), 0.0).sum() * 0.0
    return -(summed[anchors] / counts[anchors]).mean()
