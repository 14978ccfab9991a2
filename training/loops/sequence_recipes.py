"""Methods for sequences: `attention` with alignment in time, `transformer` with translation."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from models.attention import AttentionNetwork, aligned_similarity
from models.encoders.attention import attention_specification
from models.encoders.transformer import transformer_specification
from models.transformer import TransformerNetwork
from training.datasets.feature_data import FeatureData
from training.loops.batches import Batch
from training.loops.contrastive_recipe import (
    ContrastiveConfig,
    halves_of,
    need_labels_or_pairs,
    weights_of,
)
from training.loops.contrastive_terms import Halves, contrastive_parts
from training.loops.gradient_config import expect
from training.loops.network_problem import NetworkProblem
from training.loops.network_recipe import Plan, fit_network
from training.loops.objective import Moment, Objective
from training.loops.recipe import FitContext, FitResult
from training.losses.contrastive import info_nce
from training.losses.correlation import view_pairs

ATTENTION, TRANSFORMER = "attention", "transformer"


@dataclass(frozen=True, slots=True)
class SequenceConfig(ContrastiveConfig):
    """Of the methods for sequences.

    Attributes:
        width: H of the steps inside the encoder, a multiple of ``heads``.
        heads: Queries of the attention pooling, or heads of the transformer.
    """

    epochs: int = 45
    learning_rate: float = 0.003
    dropout: float = 0.3
    dropout_factors: tuple[float, ...] = (1.0, 0.5)
    width: int = 128
    heads: int = 4

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        ContrastiveConfig.__post_init__(self)
        expect(self, ("heads",), "at least 1", lambda x: x >= 1)
        whole = f"a multiple of heads = {self.heads}"
        expect(self, ("width",), whole, lambda x: x >= 1 and x % self.heads == 0)


@dataclass(frozen=True, slots=True)
class AttentionConfig(SequenceConfig):
    """Of ``attention``.

    Attributes:
        alignment: Weight of the alignment of steps in time.
    """

    width: int = 256
    alignment: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        SequenceConfig.__post_init__(self)
        expect(self, ("alignment",), "at least 0", lambda x: x >= 0)


@dataclass(frozen=True, slots=True)
class TransformerConfig(SequenceConfig):
    """Of ``transformer``.

    Attributes:
        layers: Self-attention blocks.
        translation: Weight of writing the partner's features step by step.
    """

    layers: int = 2
    translation: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            DataError: Naming the field.
        """
        SequenceConfig.__post_init__(self)
        expect(self, ("layers",), "at least 1", lambda x: x >= 1)
        expect(self, ("translation",), "at least 0", lambda x: x >= 0)


class AlignedAttention(Objective):
    """Contrastive terms on the embeddings, and on the alignment of steps of true pairs.

    Args:
        network: Attention encoders with maps of steps.
        config: Weights.
        halves: Components of classes and of partners; None for all components for both.
    """

    def __init__(
        self, network: AttentionNetwork, config: AttentionConfig, halves: Halves | None
    ) -> None:
        super().__init__(network)
        self.network, self.config, self.halves = network, config, halves
        self.closing = halves.closing() if halves else None

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Classes, pairs, and alignment."""
        del moment
        parts, steps = _contrast_and_steps(self.network, self.config, self.halves, batch)
        if self.config.alignment:
            parts["alignment"] = self.config.alignment * self._alignment(steps, batch)
        return parts

    def _alignment(self, steps: Mapping[str, Tensor], batch: Batch) -> Tensor:
        losses = []
        for first, second in view_pairs(batch.names):
            likeness = aligned_similarity(steps[first], steps[second]) / self.config.temperature
            positive = torch.diag(batch.pairs(first, second))
            losses += [info_nce(likeness, positive), info_nce(likeness.T, positive)]
        return torch.stack(losses).mean()


class TranslatingTransformer(Objective):
    """Contrastive terms on the embeddings, and translation of steps into the other views.

    Args:
        network: Transformer encoders and decoders.
        config: Weights.
        halves: Components of classes and of partners; None for all components for both.
    """

    def __init__(
        self, network: TransformerNetwork, config: TransformerConfig, halves: Halves | None
    ) -> None:
        super().__init__(network)
        self.network, self.config, self.halves = network, config, halves
        self.closing = halves.closing() if halves else None

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Classes, pairs, and translation."""
        del moment
        parts, steps = _contrast_and_steps(self.network, self.config, self.halves, batch)
        if self.config.translation:
            parts["translation"] = self.config.translation * self._translation(steps, batch)
        return parts

    def _translation(self, steps: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Mean squared error of the features written for corresponding rows."""
        losses = [next(iter(steps.values())).sum() * 0.0]
        for source, target in permutations(steps, 2):
            mask = batch.corresponding(source, target)
            if bool(mask.any()):
                rows = batch.features[target][mask]
                rows = rows if rows.ndim == 3 else rows[:, None, :]
                written = self.network.translate(steps[source][mask], target, rows.shape[1])
                losses.append((written - rows).square().mean())
        return torch.stack(losses).sum() / max(len(losses) - 1, 1)


def _contrast_and_steps(
    network: AttentionNetwork | TransformerNetwork,
    config: SequenceConfig,
    halves: Halves | None,
    batch: Batch,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Contrastive terms of the embeddings of a batch, and the steps of every view."""
    embedded = {name: network.embed(name, rows) for name, rows in batch.features.items()}
    outputs = {name: pooled for name, (pooled, _) in embedded.items()}
    parts = contrastive_parts(outputs, batch, weights_of(config), halves)
    return parts, {name: steps for name, (_, steps) in embedded.items()}


def fit_attention(data: FeatureData, config: AttentionConfig, context: FitContext) -> FitResult:
    """Fit attention pooling with alignment in time."""
    return fit_network(Plan(ATTENTION, _build_attention, sequences=True), data, config, context)


def fit_transformer(data: FeatureData, config: TransformerConfig, context: FitContext) -> FitResult:
    """Fit the translating transformer."""
    plan = Plan(TRANSFORMER, _build_transformer, sequences=True)
    return fit_network(plan, data, config, context)


def _build_attention(problem: NetworkProblem, config: AttentionConfig) -> AlignedAttention:
    need_labels_or_pairs(problem, config, ATTENTION)
    encoders = {
        name: attention_specification(
            view.dimension,
            config.width,
            config.n_components,
            heads=config.heads,
            dropout=config.dropout,
        )
        for name, view in problem.views.items()
    }
    network = AttentionNetwork(encoders, hidden=config.width, alignment=config.n_components)
    return AlignedAttention(network, config, halves_of(problem, config))


def _build_transformer(
    problem: NetworkProblem, config: TransformerConfig
) -> TranslatingTransformer:
    need_labels_or_pairs(problem, config, TRANSFORMER)
    encoders = {
        name: transformer_specification(
            view.dimension,
            config.width,
            config.n_components,
            layers=config.layers,
            heads=config.heads,
            dropout=config.dropout,
        )
        for name, view in problem.views.items()
    }
    network = TransformerNetwork(
        encoders,
        hidden=config.width,
        heads=config.heads,
        dimensions={name: view.dimension for name, view in problem.views.items()},
    )
    return TranslatingTransformer(network, config, halves_of(problem, config))
