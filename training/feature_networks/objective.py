"""What a feature network is trained for: the classes of every task, and what its teacher sees."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.feature_networks.config import FeatureNetworkConfig
from training.loops.batches import Batch
from training.loops.objective import Moment, Objective
from training.losses.distillation import cosine_distance


class FeatureNetworkObjective(Objective):
    """A network with a linear classifier per task; the end of its embedding stays near its teacher.

    Args:
        network: Pieces (B, ...) to embeddings (B, D).
        dimension: D.
        n_classes: Number of classes of each task.
        config: Weights of the parts.
    """

    def __init__(
        self,
        network: nn.Module,
        dimension: int,
        n_classes: Sequence[int],
        config: FeatureNetworkConfig,
    ) -> None:
        nn.Module.__init__(self)
        self.network = network
        self.heads = nn.ModuleList(nn.Linear(dimension, count) for count in n_classes)
        self._config = config

    def loss(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Cross-entropy of the tasks, averaged over pieces, and the distance to the teacher."""
        del moment
        embedded = self.embed(batch.features["pieces"])
        parts = {"classes": self._cross_entropy(embedded, batch)}
        if "teacher" in batch.features:
            teacher = batch.features["teacher"]
            distance = cosine_distance(embedded[:, -teacher.shape[1] :], teacher)
            parts["teacher"] = self._config.teacher_weight * distance
        return parts

    def embed(self, pieces: Tensor) -> Tensor:
        """Embeddings (B, D) in single precision."""
        with mixed_precision(self._config):
            embedded: Tensor = self.network(pieces)
        return embedded.float()

    def _cross_entropy(self, embedded: Tensor, batch: Batch) -> Tensor:
        tasks, labels = batch.labels["task"], batch.labels["class"]
        total = embedded.new_zeros(())
        for number, head in enumerate(self.heads):
            rows = tasks == number
            if rows.any():
                total = total + functional.cross_entropy(
                    head(embedded[rows]),
                    labels[rows],
                    reduction="sum",
                    label_smoothing=self._config.label_smoothing,
                )
        return total / len(tasks)

    @torch.no_grad()
    def logits(self, pieces: Tensor, task: int) -> Tensor:
        """Mean over the pieces of one file of the classifier of its task, shape (C,)."""
        return self.heads[task](self.embed(pieces)).mean(dim=0)


def mixed_precision(config: FeatureNetworkConfig) -> torch.autocast:
    """A block in which networks work in bfloat16, when the configuration says so."""
    return torch.autocast(config.device, torch.bfloat16, enabled=config.mixed_precision)


Teacher = Callable[[Tensor], Tensor]
