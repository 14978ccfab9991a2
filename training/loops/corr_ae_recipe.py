"""Corr-AE: every code rebuilds its own view and the partner's; codes of partners are near."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from models.corr_ae import CorrespondenceAutoencoder
from models.errors import DataError
from training.datasets.feature_data import FeatureData
from training.loops.batches import Batch
from training.loops.encoder_specifications import decoders, perceptrons
from training.loops.gradient_config import GradientConfig, expect
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.variational import reconstruction_loss

CORR_AE = "corr-ae"


@dataclass(frozen=True, slots=True)
class CorrAeConfig(GradientConfig):
    """Of Corr-AE.

    Attributes:
        rebuild: Weight of the squared error per feature; the rest, 1 - rebuild, is that of the
            squared distance of partners' codes per component.
    """

    epochs: int = 60
    patience: int = 20
    learning_rate: float = 0.003
    rebuild: float = 0.8

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        expect(self, ("rebuild",), "a share in [0, 1]", lambda x: 0 <= x <= 1)


class CorrAe(Objective):
    """Rebuilding and correspondence.

    Args:
        network: Autoencoders around one code space.
        config: Weights.
    """

    def __init__(self, network: CorrespondenceAutoencoder, config: CorrAeConfig) -> None:
        super().__init__(network)
        self.network, self.config = network, config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Own rebuilding, the partner's, and the distance of codes."""
        del moment
        share = self.config.rebuild
        codes = self.encoders.all(batch.features)
        own = [self._error(batch, name, codes[name]) for name in batch.names]
        parts = {"own": share * torch.stack(own).mean()}
        crossed, apart = self._across(batch, codes)
        if crossed:
            parts["crossed"] = share * torch.stack(crossed).mean()
            parts["apart"] = (1.0 - share) * torch.stack(apart).mean()
        return parts

    def _across(
        self, batch: Batch, codes: Mapping[str, Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        crossed, apart = [], []
        for source, target in permutations(batch.names, 2):
            mask = batch.pairs(source, target)
            if int(mask.sum()) > 1:  # batch normalisation needs two
                crossed.append(self._error(batch, target, codes[source][mask], mask))
                gap = codes[source][mask] - codes[target][mask]
                apart.append(gap.square().mean())
        return crossed, apart

    def _error(self, batch: Batch, name: str, codes: Tensor, mask: Tensor | None = None) -> Tensor:
        """Squared error of a view rebuilt from codes, per feature."""
        rows = batch.features[name] if mask is None else batch.features[name][mask]
        return reconstruction_loss(self.network.rebuild(name, codes), rows) / rows.shape[1]


def fit_corr_ae(data: FeatureData, config: CorrAeConfig, context: FitContext) -> FitResult:
    """Fit Corr-AE: true pairs, no labels."""
    return fit_network(Plan(CORR_AE, _build, uses_labels=False), data, config, context)


def _build(problem: NetworkProblem, config: CorrAeConfig) -> CorrAe:
    if not problem.paired:
        raise DataError("corr-ae needs true pairs (equal ids in two views), found none")
    network = CorrespondenceAutoencoder(
        perceptrons(problem, config), decoders(problem, config, n_inputs=config.n_components)
    )
    return CorrAe(network, config)
