"""What every gradient method can be told; each method adds fields of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from models.encoders.mlp import ACTIVATIONS, NORMALISATIONS
from models.errors import DataError

SCHEDULES = ("constant", "cosine")
DEVICES = ("auto", "cpu", "cuda")
LOGS = ("none", "tensorboard")


def expect(config: Any, names: tuple[str, ...], wanted: str, holds: Callable[[Any], bool]) -> None:
    """Check fields of a configuration.

    Raises:
        DataError: Naming the first field for which ``holds`` is false.
    """
    for name in names:
        if not holds(getattr(config, name)):
            raise DataError(f"expected {wanted} for {name}, got {getattr(config, name)}")


def expect_one_of(config: Any, name: str, values: tuple[str, ...]) -> None:
    """Check a field that takes one of a few words.

    Raises:
        DataError: With the words.
    """
    expect(config, (name,), f"one of {', '.join(values)}", lambda x: x in values)


@dataclass(frozen=True, slots=True)
class GradientConfig:
    """Network and optimiser.

    Attributes:
        n_components: K of the subspace.
        hidden: Width of each hidden layer of an encoder; 0 alone means none.
        activation: Of hidden layers.
        normalisation: Of hidden layers: batch, layer or none.
        dropout: Of hidden units, in [0, 1).
        input_dropout: Of input features, in [0, 1).
        dropout_factors: Both dropouts times each of these are tried on the validation split.
        input_noise: Standard deviation of Gaussian noise on standardised input, in training.
        epochs: At most so many passes over the training rows.
        patience: Stop after so many epochs without a better validation score.
        smoothing: That score is the mean over so many epochs.
        batch_size: Items per step.
        batches_per_epoch: When not 0, the batch size is the number of items divided by this.
        learning_rate: Of Adam with decoupled weight decay.
        weight_decay: As there.
        schedule: Of the learning rate: constant, or cosine down to a hundredth.
        gradient_clip: Largest norm of a gradient step; 0 for no limit.
        balanced: Every class comes equally often (items of unknown class as often as they are).
        shuffle: Items in another order in each epoch.
        refit: Train again on train and validation rows for the number of epochs that was best.
        device: auto takes CUDA where there is one.
        mixed_precision: bfloat16 inside the network on CUDA; losses stay in float32 and float64.
        log: ``tensorboard`` also writes the history for TensorBoard.
    """

    n_components: int = 32
    hidden: tuple[int, ...] = (512,)
    activation: str = "relu"
    normalisation: str = "batch"
    dropout: float = 0.4
    input_dropout: float = 0.2
    dropout_factors: tuple[float, ...] = (1.0,)
    input_noise: float = 0.0
    epochs: int = 30
    patience: int = 10
    smoothing: int = 5
    batch_size: int = 128
    batches_per_epoch: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    schedule: str = "cosine"
    gradient_clip: float = 5.0
    balanced: bool = True
    shuffle: bool = True
    refit: bool = True
    device: str = "auto"
    mixed_precision: bool = True
    log: str = "none"

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with.

        Raises:
            DataError: Naming the field.
        """
        at_least_1 = ("n_components", "epochs", "patience", "smoothing")
        expect(self, at_least_1, "at least 1", lambda x: x >= 1)
        expect(self, ("batch_size",), "at least 2", lambda x: x >= 2)
        expect(self, ("dropout", "input_dropout"), "a share in [0, 1)", lambda x: 0 <= x < 1)
        expect(
            self,
            ("dropout_factors",),
            "at least one share in [0, 1]",
            lambda x: bool(x) and all(0 <= f <= 1 for f in x),
        )
        expect(self, ("learning_rate",), "above 0", lambda x: x > 0)
        not_negative = ("input_noise", "batches_per_epoch", "weight_decay", "gradient_clip")
        expect(self, not_negative, "at least 0", lambda x: x >= 0)
        expect(
            self,
            ("hidden",),
            "widths >= 1, or 0 alone",
            lambda x: x == (0,) or min(x, default=0) >= 1,
        )
        expect_one_of(self, "activation", tuple(ACTIVATIONS))
        expect_one_of(self, "normalisation", tuple(NORMALISATIONS))
        expect_one_of(self, "schedule", SCHEDULES)
        expect_one_of(self, "device", DEVICES)
        expect_one_of(self, "log", LOGS)

    def with_dropout(self, factor: float) -> Self:
        """The same settings with both dropouts multiplied, and nothing more to try."""
        return replace(
            self,
            dropout=self.dropout * factor,
            input_dropout=self.input_dropout * factor,
            dropout_factors=(1.0,),
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Hidden widths, empty for none."""
        return () if self.hidden == (0,) else self.hidden
