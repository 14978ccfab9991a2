"""The network of VAE-CCA: a variational autoencoder per view.

Zhang, Yu, Tang, Wu, Li, "Variational Autoencoder with CCA for Audio-Visual Cross-Modal Retrieval",
TOMM 2023. The latent mean of an item is its embedding; a CCA of the means makes the two mutual
latent spaces (see ``training/loops/vae_cca_recipe.py``).
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.encoders.chain import Chain, chain_specification
from models.encoders.mlp import mlp_specification
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders

LOG_VARIANCE_LIMIT = 8.0  # keeps exp(log variance) finite in the first steps


class Latent(NamedTuple):
    """q(z | x) of rows of one view.

    Attributes:
        mean: Shape (B, K).
        log_variance: Shape (B, K).
    """

    mean: Tensor
    log_variance: Tensor


class VariationalNetwork(nn.Module):
    """inference: q(z | x); generative: p(x | z); sample: z of q(z | x).

    Args:
        trunks: Specification of each view's first layers, D to H.
        decoders: Specification of each view's decoder, K to D.
        latent: K of the latent space.
        widths: H of each trunk.
        n_classes: C of the classifier on latent rows; 0 for none.
        share_latent: One layer makes the means of all views, as in the released code.
    """

    def __init__(
        self,
        trunks: Mapping[str, Specification],
        decoders: Mapping[str, Specification],
        *,
        latent: int,
        widths: Mapping[str, int],
        n_classes: int = 0,
        share_latent: bool = False,
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(
            {
                name: chain_specification(trunk, mlp_specification((widths[name], latent)))
                for name, trunk in trunks.items()
            }
        )
        self.log_variances = nn.ModuleList(nn.Linear(widths[name], latent) for name in trunks)
        self.decoders = ViewEncoders(decoders)
        self.classifier = nn.Linear(latent, n_classes) if n_classes else None
        for layer in self.log_variances:
            nn.init.constant_(layer.bias, -2.0)  # type: ignore[arg-type]
        if share_latent:
            self._share()

    def inference(self, view: str, rows: Tensor) -> Latent:
        """q(z | x) of rows (B, D)."""
        trunk, to_mean = self._stages(view)
        number, limit = self.encoders.names.index(view), LOG_VARIANCE_LIMIT
        with self.encoders.precision(rows):
            hidden = trunk(rows)
            mean, log_variance = to_mean(hidden), self.log_variances[number](hidden)
        return Latent(mean.float(), log_variance.float().clamp(-limit, limit))

    def generative(self, view: str, latent_rows: Tensor) -> Tensor:
        """Mean of p(x | z), shape (B, D), for z of shape (B, K)."""
        rebuilt: Tensor = self.decoders(view, latent_rows)
        return rebuilt

    @staticmethod
    def sample(latent: Latent) -> Tensor:
        """Z = mean + e exp(log_variance / 2) with e of N(0, I), shape (B, K)."""
        noise = torch.randn_like(latent.mean)
        return latent.mean + noise * (0.5 * latent.log_variance).exp()

    def _share(self) -> None:
        """Let every view use the latent layers of the first one."""
        stages = [self._stages(name) for name in self.encoders.names]
        for number, own in enumerate(stages):
            own[1] = stages[0][1]
            self.log_variances[number] = self.log_variances[0]

    def _stages(self, view: str) -> nn.ModuleList:
        """Trunk and layer of the mean."""
        return self.encoders.of_kind(view, Chain).stages
