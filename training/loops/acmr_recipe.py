"""ACMR: a label classifier and triplets against a modality discriminator behind a reversal."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional

from models.acmr import AcmrNetwork
from models.errors import DataError
from training.datasets.feature_data import FeatureData
from training.loops.adversarial_terms import modality_part
from training.loops.batches import Batch
from training.loops.encoder_specifications import perceptrons
from training.loops.gradient_config import GradientConfig, expect
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.semantic import classification_loss
from training.losses.triplet import class_masks, squared_distances, triplet_loss

ACMR = "acmr"


@dataclass(frozen=True, slots=True)
class AcmrConfig(GradientConfig):
    """Of ACMR.

    Attributes:
        classification: Weight of the label classifier.
        triplet: Weight of the triplets between views (batch all, active ones).
        margin: Of the triplets, squared distances of unit rows.
        adversary: Weight of the modality discriminator.
        discriminator: Its hidden widths.
    """

    learning_rate: float = 0.003
    classification: float = 1.0
    triplet: float = 1.0
    margin: float = 0.5
    adversary: float = 0.1
    discriminator: tuple[int, ...] = (64,)

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        weights = ("classification", "triplet", "adversary")
        expect(self, weights, "at least 0", lambda x: x >= 0)
        expect(self, ("margin",), "above 0", lambda x: x > 0)
        expect(self, ("discriminator",), "widths >= 1", lambda x: min(x, default=0) >= 1)


class Acmr(Objective):
    """Embedding loss (classes, triplets) and adversarial loss.

    Args:
        network: Encoders, classifier and discriminator.
        config: Weights.
    """

    def __init__(self, network: AcmrNetwork, config: AcmrConfig) -> None:
        super().__init__(network)
        self.network, self.config = network, config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The three terms."""
        config, network = self.config, self.network
        outputs = self.encoders.all(batch.features)
        classes = [
            classification_loss(network.classifier(outputs[n]), batch.labels[n])
            for n in batch.names
        ]
        return {
            "class": config.classification * torch.stack(classes).mean(),
            "triplet": config.triplet * self._triplets(outputs, batch),
            "modality": modality_part(
                network.discriminator,
                outputs,
                weight=config.adversary,
                progress=moment.progress,
            ),
        }

    def _triplets(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        rows = {name: functional.normalize(x, dim=1) for name, x in outputs.items()}
        losses = []
        for anchor, other in permutations(batch.names, 2):
            positive, negative = class_masks(batch.labels[anchor], batch.labels[other])
            distances = squared_distances(rows[anchor], rows[other])
            losses.append(
                triplet_loss(
                    distances, positive, negative, margin=self.config.margin, mining="active"
                )
            )
        return torch.stack(losses).mean()


def fit_acmr(data: FeatureData, config: AcmrConfig, context: FitContext) -> FitResult:
    """Fit ACMR: labels in every view."""
    return fit_network(Plan(ACMR, _build), data, config, context)


def _build(problem: NetworkProblem, config: AcmrConfig) -> Acmr:
    if not problem.labelled:
        raise DataError("acmr needs labels in every view, found none")
    network = AcmrNetwork(
        perceptrons(problem, config),
        n_components=config.n_components,
        n_classes=problem.n_classes,
        discriminator=config.discriminator,
    )
    return Acmr(network, config)
