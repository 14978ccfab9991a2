"""The network of UGAAR: branches, a generator of pairs and a discriminator of pairs.

Zeng, Yu, Oyama, "Unsupervised Generative Adversarial Alignment Representation for Sheet music,
Audio and Lyrics", arXiv:2007.14856. Its formulas are not public;
docs/methods/ugaar.md says what was decided.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class UgaarNetwork(nn.Module):
    """One encoder per view; generator and discriminator work on K components.

    Args:
        encoders: Specification of each view's encoder, D to K.
        n_components: K.
        noise: Width Z of the noise that the generator is given.
        generator: Hidden widths of the generator.
        discriminator: Hidden widths of the discriminator.
    """

    def __init__(
        self,
        encoders: Mapping[str, Specification],
        *,
        n_components: int,
        noise: int,
        generator: tuple[int, ...],
        discriminator: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.noise = noise
        self.generator = _perceptron((n_components + noise, *generator, 2 * n_components))
        self.discriminator = _perceptron((3 * n_components, *discriminator, 1))

    def generate(self, condition: Tensor) -> Tensor:
        """A pair (B, 2, K) for each embedding (B, K) of a transferred view, with fresh noise.

        Each half is the embedding and a correction: what a lyric says of its audio and of its
        score begins as one guess.
        """
        noise = torch.randn(len(condition), self.noise, device=condition.device)
        corrections: Tensor = self.generator(torch.cat([condition, noise], dim=1))
        return condition[:, None, :] + corrections.reshape(len(condition), 2, -1)

    def judge(self, pairs: Tensor, condition: Tensor) -> Tensor:
        """Logits (B,) that pairs (B, 2, K) are the ground truth of these embeddings (B, K)."""
        logits: Tensor = self.discriminator(torch.cat([pairs.flatten(1), condition], dim=1))
        return logits[:, 0]


def _perceptron(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with a leaky ReLU between them."""
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(widths[:-1]):
        layers += [nn.Linear(width_in, width_out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
