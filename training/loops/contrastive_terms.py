"""InfoNCE between all views of a batch: over classes, over true pairs, or both.

Classes pull all items of a class to one point, partners push them apart again. So where both are
trained each has components of its own (``Halves``), and neither undoes the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional

from models.encoders.specification import Specification
from models.encoders.unit_blocks import unit_blocks_specification
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


@dataclass(frozen=True, slots=True)
class Halves:
    """Components that tell classes, followed by components that tell partners.

    Attributes:
        classes: Number of the first.
        partners: Number of the others.
        class_share: Of the first in the cosine of two embeddings, in (0, 1).
    """

    classes: int
    partners: int
    class_share: float

    def closing(self) -> Specification:
        """The encoder that gives each half its share."""
        shares = (self.class_share, 1.0 - self.class_share)
        return unit_blocks_specification((self.classes, self.partners), shares)


def contrastive_parts(
    outputs: Mapping[str, Tensor],
    batch: Batch,
    weights: ContrastiveWeights,
    halves: Halves | None = None,
) -> dict[str, Tensor]:
    """Weighted terms of outputs (B, K) of every view; a term without any positive is 0.

    Args:
        outputs: Of each view; need not be unit rows.
        batch: Classes and partners.
        weights: Of the terms; one of weight 0 is left out.
        halves: Which components each term sees; None for all of them.
    """
    n_classes = halves.classes if halves else None
    parts = {}
    if weights.classes:
        rows = {name: functional.normalize(x[:, :n_classes], dim=1) for name, x in outputs.items()}
        parts["classes"] = weights.classes * class_term(rows, batch.labels, weights.temperature)
    if weights.pairs:
        rows = {
            name: functional.normalize(x[:, n_classes or 0 :], dim=1) for name, x in outputs.items()
        }
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
