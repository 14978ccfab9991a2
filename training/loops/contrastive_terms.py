"""InfoNCE between all views of a batch: over classes, over true pairs, or both."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional

from training.loops.batches import Batch
from training.losses.contrastive import info_nce
from training.losses.triplet import class_masks


@dataclass(frozen=True, slots=True)
class ContrastiveWeights:
    """How the two kinds of positives count.

    Attributes:
        classes: Weight of the term whose positives are all items of the class, in every view.
        pairs: Weight of the term whose positive is the own partner in another view.
        temperature: Cosines are divided by it.
    """

    classes: float
    pairs: float
    temperature: float


def contrastive_parts(
    outputs: Mapping[str, Tensor], batch: Batch, weights: ContrastiveWeights
) -> dict[str, Tensor]:
    """Weighted terms of outputs (B, K) of every view; a term without any positive is 0."""
    rows = {name: functional.normalize(x, dim=1) for name, x in outputs.items()}
    parts = {}
    if weights.classes:
        parts["classes"] = weights.classes * class_term(rows, batch.labels, weights.temperature)
    if weights.pairs:
        parts["pairs"] = weights.pairs * pair_term(rows, batch, weights.temperature)
    return parts


def class_term(
    rows: Mapping[str, Tensor], labels: Mapping[str, Tensor], temperature: float
) -> Tensor:
    """Supervised InfoNCE over the unit rows of all views together, an item not its own positive."""
    every = torch.cat(list(rows.values()))
    classes = torch.cat([labels[name] for name in rows])
    itself = torch.eye(len(every), dtype=torch.bool, device=every.device)
    positive, negative = class_masks(classes, classes, itself)
    return info_nce(every @ every.T / temperature, positive, negative)


def pair_term(rows: Mapping[str, Tensor], batch: Batch, temperature: float) -> Tensor:
    """InfoNCE of true partners against all other rows of the other view, all directions."""
    losses = []
    for first, second in permutations(rows, 2):
        positive = torch.diag(batch.pairs(first, second))
        losses.append(info_nce(rows[first] @ rows[second].T / temperature, positive))
    return torch.stack(losses).mean()
