"""Contrastive learning, alone and with a modality discriminator."""

from dataclasses import dataclass

from torch import Tensor

from models.contrastive import ContrastiveNetwork
from models.errors import DataError
from training.datasets.feature_data import FeatureData
from training.loops.adversarial_terms import modality_part
from training.loops.batches import Batch
from training.loops.contrastive_terms import ContrastiveWeights, Halves, contrastive_parts
from training.loops.encoder_specifications import perceptrons
from training.loops.gradient_config import GradientConfig, expect
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult

CONTRASTIVE, ADVERSARIAL_CONTRASTIVE = "contrastive", "adversarial-contrastive"


@dataclass(frozen=True, slots=True)
class ContrastiveConfig(GradientConfig):
    """Of contrastive learning.

    Attributes:
        class_weight: Of supervised InfoNCE; without labels the term is not there.
        pair_weight: Of InfoNCE over true pairs; without pairs the term is not there.
        temperature: Cosines are divided by it.
        class_share: Where classes and pairs are both trained and most items have their partners,
            each has half of the components, and this is the share of classes in the cosine of two
            embeddings, in (0, 1); with 0 both are trained on all components.
        adversary: Weight of the modality discriminator (adversarial-contrastive).
        discriminator: Its hidden widths.
    """

    n_components: int = 64
    epochs: int = 60
    patience: int = 20
    dropout: float = 0.6
    input_dropout: float = 0.5
    dropout_factors: tuple[float, ...] = (1.0, 0.4)
    class_weight: float = 1.0
    pair_weight: float = 1.0
    temperature: float = 0.1
    class_share: float = 0.6
    adversary: float = 0.1
    discriminator: tuple[int, ...] = (64,)

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        expect(self, ("temperature",), "above 0", lambda x: x > 0)
        weights = ("class_weight", "pair_weight", "adversary")
        expect(self, weights, "at least 0", lambda x: x >= 0)
        expect(self, ("class_share",), "a share in [0, 1)", lambda x: 0 <= x < 1)
        expect(self, ("discriminator",), "widths >= 1", lambda x: min(x, default=0) >= 1)


class Contrastive(Objective):
    """InfoNCE over classes and pairs, and the discriminator where there is one.

    Args:
        network: Encoders, with a discriminator for the adversarial form.
        config: Weights and temperature.
        halves: Components of classes and of partners; None for all components for both.
    """

    def __init__(
        self, network: ContrastiveNetwork, config: ContrastiveConfig, halves: Halves | None
    ) -> None:
        super().__init__(network)
        self.network, self.config, self.halves = network, config, halves
        self.closing = halves.closing() if halves else None

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The contrastive terms, and the modality term of the adversarial form."""
        config = self.config
        outputs = self.encoders.all(batch.features)
        parts = contrastive_parts(outputs, batch, weights_of(config), self.halves)
        if self.network.discriminator is not None:
            parts["modality"] = modality_part(
                self.network.discriminator,
                outputs,
                weight=config.adversary,
                progress=moment.progress,
            )
        return parts


def fit_contrastive(data: FeatureData, config: ContrastiveConfig, context: FitContext) -> FitResult:
    """Fit InfoNCE: supervised with labels, unsupervised with pairs, both where both exist."""
    return fit_network(Plan(CONTRASTIVE, _build_plain), data, config, context)


def fit_adversarial_contrastive(
    data: FeatureData, config: ContrastiveConfig, context: FitContext
) -> FitResult:
    """Fit InfoNCE against a modality discriminator."""
    return fit_network(Plan(ADVERSARIAL_CONTRASTIVE, _build_adversarial), data, config, context)


def _build_plain(problem: NetworkProblem, config: ContrastiveConfig) -> Contrastive:
    return _build(problem, config, None)


def _build_adversarial(problem: NetworkProblem, config: ContrastiveConfig) -> Contrastive:
    return _build(problem, config, config.discriminator)


def _build(
    problem: NetworkProblem, config: ContrastiveConfig, discriminator: tuple[int, ...] | None
) -> Contrastive:
    need_labels_or_pairs(problem, config, "contrastive learning")
    network = ContrastiveNetwork(
        perceptrons(problem, config),
        n_components=config.n_components,
        discriminator=discriminator,
    )
    return Contrastive(network, config, halves_of(problem, config))


def weights_of(config: ContrastiveConfig) -> ContrastiveWeights:
    """How the terms count."""
    return ContrastiveWeights(config.class_weight, config.pair_weight, config.temperature)


def halves_of(problem: NetworkProblem, config: ContrastiveConfig) -> Halves | None:
    """Components of classes and of partners, where both count and most rows have both."""
    first = config.n_components // 2
    both = problem.labelled and problem.mostly_paired and config.class_weight and config.pair_weight
    if not both or not config.class_share or not first:
        return None
    return Halves(first, config.n_components - first, config.class_share)


def need_labels_or_pairs(problem: NetworkProblem, config: ContrastiveConfig, what: str) -> None:
    """Refuse rows that nothing relates, or nothing that counts.

    Raises:
        DataError: Naming the method.
    """
    by_class = problem.labelled and config.class_weight > 0
    by_pair = problem.paired and config.pair_weight > 0
    if not by_class and not by_pair:
        raise DataError(
            f"{what} needs labels and a class_weight above 0, or true pairs (equal ids) and a "
            "pair_weight above 0, found neither"
        )
