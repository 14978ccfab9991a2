"""VAE-CCA: as the paper describes it, or with the loss of the released code.

``paper``: an evidence lower bound per view, rows of a class or pair rebuilt from each other's
latent rows, the canonical correlation of true pairs, the cluster correlation of classes, and a
(cluster-)CCA of the latent means that makes the mutual latent spaces. ``released``: the loss of the
published code, which holds no CCA at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor, nn

from models.cca.linalg import Projections
from models.encoders.mlp import mlp_specification
from models.errors import DataError
from models.types import Float32Array
from models.vae_cca import Latent, VariationalNetwork
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.batches import Batch
from training.loops.contrastive_terms import ContrastiveWeights, contrastive_parts
from training.loops.deep_cca_recipe import batch_covariances
from training.loops.encoder_specifications import decoders
from training.loops.gradient_config import GradientConfig, expect, expect_one_of
from training.loops.heads import HeadOptions, correlation_head
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.correlation import correlation_loss, view_pairs
from training.losses.semantic import (
    centre_distance,
    classification_loss,
    likeness_loss,
    one_hot_distance,
    pair_distance,
)
from training.losses.variational import kl_to_standard_normal, reconstruction_loss

VAE_CCA = "vae-cca"
PAPER, RELEASED = LOSSES = ("paper", "released")


@dataclass(frozen=True, slots=True)
class VaeCcaConfig(GradientConfig):
    """Of VAE-CCA; ``configs/vae_cca_released.toml`` holds the settings of the released code.

    Attributes:
        loss: ``paper`` or ``released``, see the module.
        latent: Width of the latent space.
        elbo: Weight of the evidence lower bound per feature (paper); of both terms (released).
        kl: Weight of the divergence inside the lower bound.
        cross: Weight of rebuilding a row from the latent row of a corresponding one.
        paired_correlation: Weight of the correlation of true pairs.
        category_correlation: Weight of the cluster correlation.
        category_likeness: Weight of InfoNCE over Pearson correlations of latent rows, positives of
            one class: the category-correlation embedding.
        pair_likeness: The same with true partners as positives: the paired-correlation embedding.
        temperature: Of both.
        classification: Weight of class predictions from latent rows.
        likeness: Weight of L_cor (released).
        pair: Weight of L_pair (released).
        centre: Weight of L_cen (released).
        beta: Share of true pairs in the CCA of the latent means, where there are any.
        ridge: Of the correlations, as a share of the mean variance.
        correlation_power: Directions of that CCA are scaled by their correlation to this power.
        share_latent: One latent layer for all views, as in the released code.
    """

    loss: str = PAPER
    dropout: float = 0.6
    input_dropout: float = 0.5
    dropout_factors: tuple[float, ...] = (1.0, 0.3)
    latent: int = 64
    elbo: float = 0.01
    kl: float = 1.0
    cross: float = 0.0
    paired_correlation: float = 1.0
    category_correlation: float = 0.1
    category_likeness: float = 1.0
    pair_likeness: float = 4.0
    temperature: float = 0.1
    classification: float = 0.0
    likeness: float = 1e-3
    pair: float = 0.1
    centre: float = 0.01
    beta: float = 0.5
    ridge: float = 1.0
    correlation_power: float = 0.5
    share_latent: bool = False

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        GradientConfig.__post_init__(self)
        expect_one_of(self, "loss", LOSSES)
        weights = (
            "elbo", "kl", "cross", "paired_correlation", "category_correlation", "classification",
            "category_likeness", "pair_likeness", "likeness", "pair", "centre",
            "correlation_power",
        )  # fmt: skip
        expect(self, weights, "at least 0", lambda x: x >= 0)
        expect(self, ("beta",), "a share in [0, 1]", lambda x: 0 <= x <= 1)
        expect(self, ("ridge",), "above 0", lambda x: x > 0)
        expect(
            self, ("latent",), f"at least K = {self.n_components}", lambda x: x >= self.n_components
        )
        expect(self, ("hidden",), "at least one hidden layer", lambda x: x != (0,))


class PaperLoss(Objective):
    """The method as the paper describes it.

    Args:
        network: A variational autoencoder per view.
        config: Weights.
        beta: Share of true pairs in the head; 0 where there are none.
    """

    has_head = True

    def __init__(self, network: VariationalNetwork, config: VaeCcaConfig, beta: float) -> None:
        super().__init__(network)
        self.network, self.config, self.beta = network, config, beta

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Lower bound, cross rebuilding, both correlations and the class prediction."""
        del moment
        config = self.config
        latents = {n: self.network.inference(n, x) for n, x in batch.features.items()}
        sampled = {n: self.network.sample(latent) for n, latent in latents.items()}
        means = {n: latent.mean for n, latent in latents.items()}
        parts = {
            "lower bound": config.elbo * self._lower_bound(batch, latents, sampled),
            "cross": config.elbo * config.cross * self._cross(batch, sampled),
            "paired": config.paired_correlation * self._correlation(batch, means, 1.0),
            "category": config.category_correlation * self._correlation(batch, means, 0.0),
        }
        parts |= self._likeness(batch, means)
        if self.network.classifier is not None and config.classification:
            parts["class"] = config.classification * _classification(
                self.network.classifier, sampled, batch
            )
        return parts

    def head(
        self, embedded: Mapping[str, Float32Array], views: Mapping[str, FeatureView]
    ) -> Projections:
        """The mutual latent spaces: (cluster-)CCA of the latent means."""
        config = self.config
        options = HeadOptions(
            config.n_components, config.ridge, self.beta, config.correlation_power
        )
        return correlation_head(embedded, views, options)

    def _likeness(self, batch: Batch, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """InfoNCE of Pearson correlations of latent rows: the correlation embeddings."""
        config = self.config
        weights = ContrastiveWeights(
            config.category_likeness, config.pair_likeness, config.temperature
        )
        centred = {name: x - x.mean(dim=1, keepdim=True) for name, x in means.items()}
        return contrastive_parts(centred, batch, weights)

    def _lower_bound(
        self, batch: Batch, latents: Mapping[str, Latent], sampled: Mapping[str, Tensor]
    ) -> Tensor:
        """Per-item sums of both terms, divided by D so that views of any width count alike."""
        terms = []
        for name, latent in latents.items():
            rows = _pooled(batch.features[name])
            error = reconstruction_loss(self.network.generative(name, sampled[name]), rows)
            divergence = kl_to_standard_normal(latent.mean, latent.log_variance)
            terms.append((error + self.config.kl * divergence) / rows.shape[1])
        return torch.stack(terms).mean()

    def _cross(self, batch: Batch, sampled: Mapping[str, Tensor]) -> Tensor:
        """Rebuild a view from the latent rows of another one, where rows correspond."""
        terms = []
        for source, target in permutations(batch.names, 2):
            mask = batch.corresponding(source, target)
            if self.config.cross and int(mask.sum()) > 1:  # batch normalisation needs two
                rebuilt = self.network.generative(target, sampled[source][mask])
                rows = _pooled(batch.features[target])[mask]
                terms.append(reconstruction_loss(rebuilt, rows) / rows.shape[1])
        return torch.stack(terms).mean() if terms else _nothing(sampled)

    def _correlation(self, batch: Batch, means: Mapping[str, Tensor], beta: float) -> Tensor:
        terms = []
        for names in view_pairs(batch.names):
            covariances = batch_covariances(means, batch, names, beta)
            if covariances is not None:
                k, ridge = self.config.n_components, self.config.ridge
                terms.append(correlation_loss(covariances, n_components=k, ridge=ridge))
        return torch.stack(terms).mean() if terms else _nothing(means)


class ReleasedLoss(Objective):
    """The loss of the released code (methods: DSCMR with a VAE term and a centre term).

    Its centres are drawn from N(0, I) at every call and never learned; so they are here.

    Args:
        network: Variational autoencoders with one latent layer and a classifier.
        config: Weights.
    """

    def __init__(self, network: VariationalNetwork, config: VaeCcaConfig) -> None:
        super().__init__(network)
        self.network, self.config = network, config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """The five terms with their weights."""
        del moment
        config, names, labels = self.config, batch.names, batch.labels
        latents = {n: self.network.inference(n, x) for n, x in batch.features.items()}
        z = {n: self.network.sample(latent) for n, latent in latents.items()}
        bounds = [self._lower_bound(batch, n, latents[n], z[n]) for n in names]
        pairs = view_pairs(names)
        alike = [(n, n) for n in names] + pairs
        return {
            "lower bound": config.elbo * torch.stack(bounds).sum(),
            "class": config.classification * self._classes(z, batch),
            "likeness": config.likeness
            * torch.stack(
                [likeness_loss(z[a], z[b], labels[a], labels[b]) for a, b in alike]
            ).sum(),
            "pair": config.pair * torch.stack([_apart(z, batch, a, b) for a, b in pairs]).sum(),
            "centre": config.centre * self._centres(z, batch),
        }

    def _lower_bound(self, batch: Batch, name: str, latent: Latent, z: Tensor) -> Tensor:
        """Both terms as sums per item (the released code means one and sums the other)."""
        rebuilt = self.network.generative(name, z)
        error = 2.0 * reconstruction_loss(rebuilt, _pooled(batch.features[name]))
        return error + self.config.kl * kl_to_standard_normal(latent.mean, latent.log_variance)

    def _classes(self, z: Mapping[str, Tensor], batch: Batch) -> Tensor:
        classifier = self.network.classifier
        if classifier is None:
            return _nothing(z)
        terms = [one_hot_distance(classifier(z[n]), batch.labels[n]) for n in batch.names]
        return torch.stack(terms).sum()

    def _centres(self, z: Mapping[str, Tensor], batch: Batch) -> Tensor:
        if self.network.classifier is None:
            return _nothing(z)
        n_classes = self.network.classifier.out_features
        terms = []
        for name in batch.names:
            centres = torch.randn(n_classes, z[name].shape[1], device=z[name].device)
            terms.append(0.5 * centre_distance(z[name], batch.labels[name], centres))
        return torch.stack(terms).sum()


def fit_vae_cca(data: FeatureData, config: VaeCcaConfig, context: FitContext) -> FitResult:
    """Fit VAE-CCA: labels, true pairs, or both."""
    return fit_network(Plan(VAE_CCA, _build), data, config, context)


def _build(problem: NetworkProblem, config: VaeCcaConfig) -> Objective:
    if not problem.labelled and not problem.complete:
        raise DataError("vae-cca needs labels or true pairs, found neither")
    n_classes = problem.n_classes if problem.labelled else 0
    trunks = {
        name: mlp_specification(
            (view.dimension, *config.widths),
            activation=config.activation,
            last_activation=config.activation,
            normalisation=config.normalisation,
            dropout=config.dropout,
            input_dropout=config.input_dropout,
        )
        for name, view in problem.views.items()
    }
    network = VariationalNetwork(
        trunks,
        decoders(problem, config, n_inputs=config.latent),
        latent=config.latent,
        widths=dict.fromkeys(trunks, config.widths[-1]),
        n_classes=n_classes,
        share_latent=config.share_latent,
    )
    if config.loss == RELEASED:
        return ReleasedLoss(network, config)
    beta = 1.0 if not problem.labelled else config.beta if problem.complete else 0.0
    return PaperLoss(network, config, beta)


def _classification(classifier: nn.Linear, rows: Mapping[str, Tensor], batch: Batch) -> Tensor:
    terms = [classification_loss(classifier(rows[n]), batch.labels[n]) for n in batch.names]
    return torch.stack(terms).mean()


def _apart(z: Mapping[str, Tensor], batch: Batch, first: str, second: str) -> Tensor:
    mask = batch.corresponding(first, second)
    return pair_distance(z[first][mask], z[second][mask])


def _pooled(rows: Tensor) -> Tensor:
    return rows.mean(dim=1) if rows.ndim == 3 else rows


def _nothing(rows: Mapping[str, Tensor]) -> Tensor:
    return torch.stack([x.sum() for x in rows.values()]).sum() * 0.0
