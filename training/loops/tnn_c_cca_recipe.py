"""TNN-C-CCA: cluster-CCA and a deep triplet network, in three orders.

``cca-first`` projects by cluster-CCA and trains the triplet network on the projections, as the
paper does; ``cca-last`` trains it on the features and correlates its outputs by cluster-CCA;
``end-to-end`` trains it on the features with the cluster correlation as a second loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor
from torch.nn import functional

from models.cca.linalg import Projections
from models.encoders.mlp import ACTIVATIONS, mlp_specification
from models.encoders.specification import Specification
from models.errors import DataError
from models.tnn_c_cca import TripletNetwork
from models.types import Float32Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.batches import Batch
from training.loops.deep_cca_recipe import batch_covariances
from training.loops.gradient_config import GradientConfig, expect, expect_one_of
from training.loops.heads import HeadOptions, correlation_head
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.correlation import correlation_loss, mean_over_pairs, view_pairs
from training.losses.triplet import (
    MININGS,
    class_masks,
    partner_triplet_loss,
    squared_distances,
    triplet_loss,
)

TNN_C_CCA = "tnn-c-cca"
CCA_FIRST, CCA_LAST, END_TO_END = ORDERS = ("cca-first", "cca-last", "end-to-end")


@dataclass(frozen=True, slots=True)
class TripletConfig(GradientConfig):
    """Of TNN-C-CCA; ``configs/tnn_c_cca_published.toml`` holds the published settings.

    Attributes:
        order: See the module.
        last_activation: Of the outputs; ``tanh-sigmoid`` as released.
        margin: Between d(anchor, positive) and d(anchor, negative), squared distances.
        mining: Which triplets count, see ``triplet_loss``.
        both_directions: Rows of every view are anchors; otherwise those of ``anchor_view`` alone.
        anchor_view: The anchors of one direction; ``auto`` takes ``audio``, or else the first.
        within_views: Positives and negatives of the anchor's own view as well.
        exclude_partner: An item's own partner is not one of its positives, as released.
        normalise: Outputs are unit rows in the loss.
        pair_weight: Weight of triplets with the own partner as the only positive.
        correlation_weight: Of the cluster correlation (end-to-end).
        beta: Share of true pairs in cluster-CCA, where there are any.
        cca_components: K of the cluster-CCA projection before the network (cca-first).
        ridge: Of cluster-CCA, as a share of the mean variance.
        initial: ``default``, or ``released`` for N(0, 0.05^2) in inner layers.
    """

    batch_size: int = 64
    epochs: int = 60
    patience: int = 25
    dropout: float = 0.6
    input_dropout: float = 0.4
    dropout_factors: tuple[float, ...] = (1.0, 0.3)
    order: str = END_TO_END
    last_activation: str = "none"
    margin: float = 1.0
    mining: str = "active"
    both_directions: bool = True
    anchor_view: str = "auto"
    within_views: bool = True
    exclude_partner: bool = False
    normalise: bool = True
    pair_weight: float = 4.0
    correlation_weight: float = 0.5
    beta: float = 0.2
    cca_components: int = 10
    ridge: float = 1.0
    initial: str = "default"

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        expect_one_of(self, "order", ORDERS)
        expect_one_of(self, "mining", MININGS)
        expect_one_of(self, "last_activation", tuple(ACTIVATIONS))
        expect_one_of(self, "initial", ("default", "released"))
        expect(self, ("margin", "ridge"), "above 0", lambda x: x > 0)
        expect(self, ("pair_weight", "correlation_weight"), "at least 0", lambda x: x >= 0)
        expect(self, ("beta",), "a share in [0, 1]", lambda x: 0 <= x <= 1)
        expect(self, ("cca_components",), "at least 1", lambda x: x >= 1)


class Triplets(Objective):
    """Triplets between the views, with the cluster correlation in the order ``end-to-end``.

    Args:
        network: A branch per view.
        config: Margin, mining, weights.
        beta: Share of true pairs in correlations.
    """

    def __init__(self, network: TripletNetwork, config: TripletConfig, beta: float) -> None:
        super().__init__(network)
        self.network, self.config, self.beta = network, config, beta
        self.has_head = config.order == CCA_LAST

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Class triplets, partner triplets, and the cluster correlation."""
        del moment
        config = self.config
        outputs = self.encoders.all(batch.features)
        rows = {n: functional.normalize(x, dim=1) for n, x in outputs.items()}
        rows = rows if config.normalise else outputs
        parts = {
            "triplet": _mean([self._class_triplets(rows, batch, d) for d in self._directions()])
        }
        if config.pair_weight:
            losses = [self._pair_triplets(rows, batch, d) for d in self._directions(across=True)]
            parts["partner"] = config.pair_weight * _mean(losses)
        if config.order == END_TO_END and config.correlation_weight:
            parts["correlation"] = config.correlation_weight * self._correlation(outputs, batch)
        return parts

    def head(
        self, embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView]
    ) -> Projections:
        """Cluster-CCA of the outputs, for the order ``cca-last``."""
        config = self.config
        options = HeadOptions(config.n_components, config.ridge, self.beta)
        return correlation_head(embedded, views, options)

    def _directions(self, *, across: bool = False) -> list[tuple[str, str]]:
        """(view of the anchors, view of positives and negatives)."""
        names, config = self.encoders.names, self.config
        pairs = list(permutations(names, 2))
        if config.within_views and not across:
            pairs += [(name, name) for name in names]
        if config.both_directions:
            return pairs
        anchor = anchor_view(names, config.anchor_view)
        return [pair for pair in pairs if pair[0] == anchor]

    def _class_triplets(
        self, rows: Mapping[str, Tensor], batch: Batch, direction: tuple[str, str]
    ) -> Tensor:
        anchor, other = direction
        left_out = _diagonal(batch, anchor, other) if self._leaves_out(direction) else None
        positive, negative = class_masks(batch.labels[anchor], batch.labels[other], left_out)
        return self._triplets(rows[anchor], rows[other], positive, negative)

    def _leaves_out(self, direction: tuple[str, str]) -> bool:
        """An item is not its own positive; its partner is not either, where asked for."""
        return self.config.exclude_partner or direction[0] == direction[1]

    def _pair_triplets(
        self, rows: Mapping[str, Tensor], batch: Batch, direction: tuple[str, str]
    ) -> Tensor:
        anchor, other = direction
        distances = squared_distances(rows[anchor], rows[other])
        return partner_triplet_loss(
            distances, batch.pairs(anchor, other), margin=self.config.margin
        )

    def _triplets(
        self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor
    ) -> Tensor:
        config = self.config
        distances = squared_distances(anchors, others)
        return triplet_loss(
            distances, positive, negative, margin=config.margin, mining=config.mining
        )

    def _correlation(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        losses = []
        for names in view_pairs(batch.names):
            covariances = batch_covariances(outputs, batch, names, self.beta)
            if covariances is not None:
                k = min(self.config.cca_components, self.config.n_components)
                ridge = self.config.ridge
                losses.append(correlation_loss(covariances, n_components=k, ridge=ridge))
        return mean_over_pairs(losses) if losses else _mean(list(outputs.values())) * 0.0


def anchor_view(names: list[str], wanted: str) -> str:
    """The view whose rows are anchors.

    Raises:
        DataError: If there is no such view.
    """
    if wanted == "auto":
        return "audio" if "audio" in names else names[0]
    if wanted not in names:
        raise DataError(f"expected anchor_view of {names} or auto, got {wanted!r}")
    return wanted


def fit_tnn_c_cca(data: FeatureData, config: TripletConfig, context: FitContext) -> FitResult:
    """Fit TNN-C-CCA: labels in every view; true pairs where there are any."""
    return fit_network(Plan(TNN_C_CCA, _build), data, config, context)


def _build(problem: NetworkProblem, config: TripletConfig) -> Triplets:
    if not problem.labelled:
        raise DataError("tnn-c-cca needs labels in every view, found none")
    beta = config.beta if problem.complete else 0.0
    front = None
    if config.order == CCA_FIRST:
        rows = {name: view.features for name, view in problem.train.items()}
        options = HeadOptions(config.cca_components, config.ridge, beta, power=0.0)
        front = correlation_head(rows, problem.train, options)
    network = TripletNetwork(_branches(problem, config, front), front)
    if config.initial == "released":
        network.start_as_released(list(problem.views))
    return Triplets(network, config, beta)


def _branches(
    problem: NetworkProblem, config: TripletConfig, front: Projections | None
) -> dict[str, Specification]:
    return {
        name: mlp_specification(
            (
                view.dimension if front is None else front.weights[0].shape[1],
                *config.widths,
                config.n_components,
            ),
            activation=config.activation,
            last_activation=config.last_activation,
            normalisation=config.normalisation,
            dropout=config.dropout,
            input_dropout=config.input_dropout,
        )
        for name, view in problem.views.items()
    }


def _diagonal(batch: Batch, anchor: str, other: str) -> Tensor:
    """Own partners, or a row itself within a view, as a mask (B, B)."""
    own = batch.pairs(anchor, other)
    return torch.diag(own if anchor != other else torch.ones_like(own))


def _mean(losses: list[Tensor]) -> Tensor:
    return torch.stack([loss.mean() for loss in losses]).mean()
