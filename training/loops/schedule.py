"""Learning rates as a function of the epoch, so that a resumed run needs no scheduler state."""

import math

from training.loops.gradient_config import GradientConfig

LAST_SHARE = 0.01  # of the learning rate, at the end of a cosine


def learning_rate(config: GradientConfig, epoch: int) -> float:
    """Learning rate of an epoch, from 0.

    Example:
        >>> config = GradientConfig(learning_rate=0.1, epochs=10, schedule="cosine")
        >>> [round(learning_rate(config, epoch), 4) for epoch in (0, 5)]
        [0.1, 0.0505]
    """
    if config.schedule == "constant":
        return config.learning_rate
    passed = min(epoch / config.epochs, 1.0)
    share = LAST_SHARE + (1.0 - LAST_SHARE) * 0.5 * (1.0 + math.cos(math.pi * passed))
    return config.learning_rate * share
