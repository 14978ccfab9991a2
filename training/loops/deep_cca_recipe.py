"""DCCA, DCCAE and C-DCCA: networks whose outputs correlate, with a closed-form CCA on top."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.cca.linalg import Projections
from models.deep_cca import DeepCCANetwork
from models.errors import DataError
from models.types import Float32Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.batches import Batch
from training.loops.encoder_specifications import decoders, perceptrons
from training.loops.gradient_config import GradientConfig, expect
from training.loops.heads import HeadOptions, correlation_head
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.correlation import (
    Covariances,
    cluster_covariances,
    correlation_loss,
    mean_over_pairs,
    mixed_covariances,
    paired_covariances,
    view_pairs,
)
from training.losses.variational import reconstruction_loss

DCCA, DCCAE, CLUSTER_DCCA = "dcca", "dccae", "c-dcca"
FEWEST_PAIRS = 8  # in a batch, for a covariance worth having


@dataclass(frozen=True, slots=True)
class DeepCCAConfig(GradientConfig):
    """Of the deep CCA family.

    Attributes:
        outputs: Width of the network outputs that are correlated, at least K.
        ridge: Of the loss, as a share of the mean variance of the outputs.
        head_ridge: Of the closed-form CCA on the outputs, as there.
        correlation_power: Directions of that CCA are scaled by their correlation to this power.
        beta: Share of true pairs beside same-class pairs where both exist (c-dcca).
        reconstruction: Weight of the squared error per feature (dccae).
    """

    outputs: int = 32
    batch_size: int = 400
    epochs: int = 100
    patience: int = 30
    learning_rate: float = 0.01
    ridge: float = 0.1
    head_ridge: float = 0.1
    correlation_power: float = 1.0
    beta: float = 0.5
    reconstruction: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        expect(self, ("ridge", "head_ridge"), "above 0", lambda x: x > 0)
        expect(self, ("beta",), "a share in [0, 1]", lambda x: 0 <= x <= 1)
        expect(self, ("reconstruction", "correlation_power"), "at least 0", lambda x: x >= 0)
        expect(
            self,
            ("outputs",),
            f"at least K = {self.n_components}",
            lambda x: x >= self.n_components,
        )


class DeepCCA(Objective):
    """Minus the canonical correlations of the outputs of a batch.

    Args:
        network: Encoders, with decoders for DCCAE.
        config: Ridge and weights.
        beta: Share of true pairs: 1 for DCCA and DCCAE.
    """

    has_head = True

    def __init__(self, network: DeepCCANetwork, config: DeepCCAConfig, beta: float) -> None:
        super().__init__(network)
        self.network, self.config, self.beta = network, config, beta

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Correlation, and the squared error per feature for DCCAE."""
        del moment
        outputs = self.encoders.all(batch.features)
        losses = []
        for first, second in view_pairs(batch.names):
            covariances = batch_covariances(outputs, batch, (first, second), self.beta)
            if covariances is not None:
                k, ridge = self.config.n_components, self.config.ridge
                losses.append(correlation_loss(covariances, n_components=k, ridge=ridge))
        parts = {"correlation": mean_over_pairs(losses)} if losses else {}
        for name, rebuilt in self.network.rebuild(outputs).items():
            error = reconstruction_loss(rebuilt, batch.features[name]) / rebuilt.shape[1]
            parts[f"rebuild {name}"] = self.config.reconstruction * error
        return parts

    def head(
        self, embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView]
    ) -> Projections:
        """Closed-form CCA, or cluster-CCA, of the outputs."""
        config = self.config
        options = HeadOptions(
            config.n_components, config.head_ridge, self.beta, config.correlation_power
        )
        return correlation_head(embedded, views, options)


def batch_covariances(
    outputs: Mapping[str, Tensor], batch: Batch, names: tuple[str, str], beta: float
) -> Covariances | None:
    """Covariances of corresponding outputs of two views; None where a batch has too few.

    With beta = 1 true partners correspond, with 0 all pairs of rows of one class.
    """
    first, second = names
    x, y = outputs[first], outputs[second]
    paired = batch.pairs(first, second)
    enough = int(paired.sum()) >= FEWEST_PAIRS
    from_pairs = paired_covariances(x[paired], y[paired]) if beta > 0.0 and enough else None
    if beta == 1.0:
        return from_pairs
    labels = batch.labels[first], batch.labels[second]
    if not bool(((labels[0][:, None] == labels[1][None, :]) & (labels[0][:, None] >= 0)).any()):
        return from_pairs
    cluster = cluster_covariances(x, y, *labels)
    return cluster if from_pairs is None else mixed_covariances(from_pairs, cluster, beta)


def fit_dcca(data: FeatureData, config: DeepCCAConfig, context: FitContext) -> FitResult:
    """Fit DCCA: true pairs, no labels."""
    return fit_network(Plan(DCCA, _build_paired, uses_labels=False), data, config, context)


def fit_dccae(data: FeatureData, config: DeepCCAConfig, context: FitContext) -> FitResult:
    """Fit DCCAE: DCCA whose outputs also rebuild the features."""
    return fit_network(Plan(DCCAE, _build_rebuilding, uses_labels=False), data, config, context)


def fit_cluster_dcca(data: FeatureData, config: DeepCCAConfig, context: FitContext) -> FitResult:
    """Fit C-DCCA: same-class rows correspond, mixed with true pairs where there are any."""
    return fit_network(Plan(CLUSTER_DCCA, _build_cluster), data, config, context)


def _build_paired(problem: NetworkProblem, config: DeepCCAConfig) -> DeepCCA:
    _need_pairs(problem)
    encoders = perceptrons(problem, config, n_outputs=config.outputs)
    return DeepCCA(DeepCCANetwork(encoders), config, 1.0)


def _build_rebuilding(problem: NetworkProblem, config: DeepCCAConfig) -> DeepCCA:
    _need_pairs(problem)
    encoders = perceptrons(problem, config, n_outputs=config.outputs)
    back = decoders(problem, config, n_inputs=config.outputs)
    return DeepCCA(DeepCCANetwork(encoders, back), config, 1.0)


def _build_cluster(problem: NetworkProblem, config: DeepCCAConfig) -> DeepCCA:
    if not problem.labelled:
        raise DataError("c-dcca needs labels in every view, found none; with pairs use dcca")
    encoders = perceptrons(problem, config, n_outputs=config.outputs)
    return DeepCCA(DeepCCANetwork(encoders), config, config.beta if problem.complete else 0.0)


def _need_pairs(problem: NetworkProblem) -> None:
    if not problem.complete:
        raise DataError(
            "dcca and dccae need true pairs (equal ids in all views), found none; "
            "with labels use c-dcca"
        )
