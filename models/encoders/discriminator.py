"""A modality discriminator: tells from an output which view it came from."""

from itertools import pairwise

from torch import nn


def modality_discriminator(
    n_components: int, widths: tuple[int, ...], n_views: int
) -> nn.Sequential:
    """Perceptron from outputs (B, K) to logits (B, M).

    Args:
        n_components: K.
        widths: Of the hidden layers.
        n_views: M.
    """
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise((n_components, *widths)):
        layers += [nn.Linear(width_in, width_out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear((n_components, *widths)[-1], n_views))
