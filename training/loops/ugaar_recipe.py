"""UGAAR: CCA of two views as ground truth, transfer to the others, and a game about pairs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.cca.linalg import Projections
from models.errors import DataError
from models.types import Float32Array
from models.ugaar import UgaarNetwork
from training.datasets.feature_data import FeatureData, FeatureView, rows_of_common_ids
from training.loops.batches import Batch
from training.loops.contrastive_terms import pair_term
from training.loops.encoder_specifications import perceptrons
from training.loops.gradient_config import GradientConfig, expect
from training.loops.ground_truth import (
    USUAL_PAIR,
    GroundTruth,
    fit_ground_truth,
    ground_truth_pair,
)
from training.loops.heads import HeadOptions, correlation_head
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.adversarial import reversal_weight, reverse_gradient
from training.losses.triplet import partner_triplet_loss, squared_distances
from training.losses.ugaar import component_error, discrimination_loss, mismatched

UGAAR, UGAAR_INFO_NCE = "ugaar", "ugaar-info-nce"
FEWEST = 2  # rows of a batch that the game is played with


@dataclass(frozen=True, slots=True)
class UgaarConfig(GradientConfig):
    """Of UGAAR.

    Attributes:
        ground_truth_views: The two views whose CCA is the ground truth; where the usual ones are
            not both there, the first two of the data. All others are transferred views.
        ground_truth: False trains the two against each other, without CCA components.
        ridge: Of that CCA, in variances of a standardised feature.
        correlation_power: Components are scaled by their correlation to this power.
        constant: One more component of the ground truth, the same for all rows, so that the
            length of an embedding is seen in its cosine; 0 for none.
        anchor: Weight of the distance to the ground truth, or of agreement without one.
        margin: Of agreement, squared distances of unit rows.
        transfer: Weight of the transferred pairs.
        adversary: Weight of the game.
        generator: Hidden widths of the generator.
        discriminator: Hidden widths of the discriminator.
        noise: Width of the generator's noise.
        head_power: When not 0, outputs pass a closed-form CCA of all views at the end, its
            directions scaled by their correlation to this power: those that lyrics know of count
            more. Not where no two items have all views.
        head_ridge: Of that CCA, as a share of the mean variance of the outputs.
        pair_weight: Weight of InfoNCE over true pairs of all views.
        temperature: Of InfoNCE.
    """

    n_components: int = 64
    epochs: int = 60
    patience: int = 20
    batch_size: int = 256
    dropout: float = 0.6
    input_dropout: float = 0.5
    dropout_factors: tuple[float, ...] = (1.0, 0.4)
    ground_truth_views: tuple[str, ...] = USUAL_PAIR
    ground_truth: bool = True
    ridge: float = 1.0
    correlation_power: float = 1.0
    constant: float = 1.5
    anchor: float = 1.0
    margin: float = 0.5
    transfer: float = 1.0
    adversary: float = 0.1
    generator: tuple[int, ...] = (128,)
    discriminator: tuple[int, ...] = (128,)
    noise: int = 16
    head_power: float = 0.0
    head_ridge: float = 0.1
    pair_weight: float = 0.0
    temperature: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        weights = (
            "correlation_power", "constant", "anchor", "transfer", "adversary", "pair_weight",
            "head_power",
        )  # fmt: skip
        expect(self, weights, "at least 0", lambda x: x >= 0)
        expect(self, ("ridge", "margin", "temperature", "head_ridge"), "above 0", lambda x: x > 0)
        expect(self, ("generator", "discriminator"), "widths >= 1", lambda x: min(x, default=0) > 0)
        expect(self, ("noise",), "at least 1", lambda x: x >= 1)
        expect(self, ("ground_truth_views",), "two views", lambda x: len(set(x)) == len(x) == 2)


@dataclass(frozen=True, slots=True)
class UgaarInfoNceConfig(UgaarConfig):
    """UGAAR with InfoNCE."""

    pair_weight: float = 1.0


class Ugaar(Objective):
    """Ground truth, transfer, game and InfoNCE; a term of weight 0 is not there.

    Args:
        network: Branches, generator and discriminator.
        config: Weights.
        ground_truth: CCA of the two views, or None.
        pair: The two views.
        has_head: Close with a CCA of all views.
    """

    def __init__(
        self,
        network: UgaarNetwork,
        config: UgaarConfig,
        ground_truth: GroundTruth | None,
        pair: tuple[str, str],
        *,
        has_head: bool,
    ) -> None:
        super().__init__(network)
        self.network, self.config = network, config
        self.ground_truth, self.pair, self.has_head = ground_truth, pair, has_head

    def head(
        self, embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView]
    ) -> Projections:
        """Closed-form CCA of the outputs of all views."""
        config = self.config
        width = next(iter(embedded.values())).shape[1]
        options = HeadOptions(width, config.head_ridge, 1.0, config.head_power)
        return correlation_head(embedded, views, options)

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The terms of the batch."""
        config = self.config
        outputs = self.encoders.all(batch.features)
        truth = self._truth(batch, outputs)
        parts = {}
        if config.anchor:
            parts["ground truth"] = config.anchor * self._anchored(batch, outputs, truth)
        transferred = [name for name in batch.names if name not in self.pair]
        if config.transfer and transferred:
            terms = [self._transfer(batch, outputs[n], truth, n) for n in transferred]
            parts["transfer"] = config.transfer * torch.stack(terms).mean()
        if config.adversary and transferred:
            weight = reversal_weight(moment.progress)
            terms = [self._game(batch, outputs[n], truth, n, weight) for n in transferred]
            parts["game"] = config.adversary * torch.stack(terms).mean()
        if config.pair_weight:
            rows = {name: functional.normalize(x, dim=1) for name, x in outputs.items()}
            parts["pairs"] = config.pair_weight * pair_term(rows, batch, config.temperature)
        return parts

    def _truth(self, batch: Batch, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the rows (B, K) of the two views stand for: CCA components, else their outputs."""
        if self.ground_truth is not None:
            return {name: self.ground_truth(name, batch.features[name]) for name in self.pair}
        width = math.sqrt(next(iter(outputs.values())).shape[1])
        return {n: width * functional.normalize(outputs[n].detach(), dim=1) for n in self.pair}

    def _anchored(
        self, batch: Batch, outputs: Mapping[str, Tensor], truth: Mapping[str, Tensor]
    ) -> Tensor:
        """Distance of the two branches to the ground truth, or triplets of partners without it."""
        if self.ground_truth is not None:
            return _mean([component_error(outputs[name], truth[name]) for name in self.pair])
        rows = [functional.normalize(outputs[name], dim=1) for name in self.pair]
        distances, paired = squared_distances(*rows), batch.pairs(*self.pair)
        both = (distances, distances.T)
        margin = self.config.margin
        return _mean([partner_triplet_loss(one, paired, margin=margin) for one in both])

    def _transfer(
        self, batch: Batch, condition: Tensor, truth: Mapping[str, Tensor], name: str
    ) -> Tensor:
        """Distance of an embedding, and of the pair generated from it, to its partners."""
        generated = self.network.generate(condition)  # (B, 2, K)
        errors = []
        for number, view in enumerate(self.pair):
            own = batch.pairs(name, view)
            wanted = truth[view][own]
            errors.append(component_error(condition[own], wanted))
            errors.append(component_error(generated[own, number], wanted))
        return _mean(errors)

    def _game(
        self,
        batch: Batch,
        condition: Tensor,
        truth: Mapping[str, Tensor],
        name: str,
        reversal: float,
    ) -> Tensor:
        """The discriminator's loss; its gradient is turned round for what the generator made."""
        first, second = self.pair
        own = batch.pairs(first, second) & batch.own[name]
        if int(own.sum()) < FEWEST:
            return condition.sum() * 0.0
        condition = condition[own]
        real = torch.stack([truth[view][own] for view in self.pair], dim=1)
        generated = reverse_gradient(self.network.generate(condition), reversal)
        known = condition.detach()
        judge = self.network.judge
        false = torch.cat([judge(generated, known), judge(mismatched(real), known)])
        return discrimination_loss(judge(real, known), false)


def fit_ugaar(data: FeatureData, config: UgaarConfig, context: FitContext) -> FitResult:
    """Fit UGAAR: true pairs, no labels."""
    return fit_network(Plan(UGAAR, _build, uses_labels=False), data, config, context)


def fit_ugaar_info_nce(
    data: FeatureData, config: UgaarInfoNceConfig, context: FitContext
) -> FitResult:
    """Fit UGAAR with InfoNCE over true pairs."""
    return fit_network(Plan(UGAAR_INFO_NCE, _build, uses_labels=False), data, config, context)


def _build(problem: NetworkProblem, config: UgaarConfig) -> Ugaar:
    pair = ground_truth_pair(list(problem.views), config.ground_truth_views)
    _check(problem, config, pair)
    width = min(config.n_components, *(problem.views[name].dimension for name in pair))
    network = UgaarNetwork(
        perceptrons(problem, config, n_outputs=width),
        n_components=width,
        noise=config.noise,
        generator=config.generator,
        discriminator=config.discriminator,
    )
    truth = None
    if config.ground_truth:
        rows = {name: problem.train[name] for name in pair}
        n_canonical = width - 1 if config.constant and width > 1 else width
        options = HeadOptions(n_canonical, config.ridge, 1.0, config.correlation_power)
        constant = config.constant if n_canonical < width else 0.0
        truth = fit_ground_truth(rows, options, constant=constant)
    has_head = bool(config.head_power) and problem.complete
    return Ugaar(network, config, truth, pair, has_head=has_head)


def _check(problem: NetworkProblem, config: UgaarConfig, pair: tuple[str, str]) -> None:
    """Refuse what cannot be learned.

    Raises:
        DataError: If true pairs or terms are missing.
    """
    rows = {name: problem.train[name] for name in pair}
    if len(next(iter(rows_of_common_ids(rows).values()))) < FEWEST:
        raise DataError(
            f"ugaar needs true pairs (equal ids) of {pair[0]} and {pair[1]}, found none; other "
            "views can be named by ground_truth_views"
        )
    ids = {name: set(view.ids.tolist()) for name, view in problem.train.items()}
    for name in ids:
        if name not in pair and not ids[name] & (ids[pair[0]] | ids[pair[1]]):
            raise DataError(
                f"ugaar needs true pairs (equal ids) of {name} with {pair[0]} or {pair[1]}, found "
                "none"
            )
    if not (config.anchor or config.transfer or config.adversary or config.pair_weight):
        raise DataError("ugaar needs a weight above 0 of anchor, transfer, adversary, pair_weight")


def _mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
