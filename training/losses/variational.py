"""The two terms of the evidence lower bound, per item: sums over D and over K, means over B.

A mean over elements for one term and a sum for the other, as in the released code of VAE-CCA,
makes their balance depend on batch size and dimension; both are sums per item here.
"""

from torch import Tensor


def reconstruction_loss(rebuilt: Tensor, rows: Tensor) -> Tensor:
    """Minus log p(x | z) of unit variance, without its constant: 1/2 ||x - x^||^2, mean over B.

    Args:
        rebuilt: Mean of p(x | z), shape (B, D).
        rows: Standardised features, shape (B, D).
    """
    return 0.5 * (rebuilt - rows).square().sum(dim=1).mean()


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, I)), summed over K, mean over B.

    Args:
        mean: Shape (B, K).
        log_variance: Shape (B, K).
    """
    return 0.5 * (log_variance.exp() + mean.square() - 1.0 - log_variance).sum(dim=1).mean()
