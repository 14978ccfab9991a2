"""Settings of the training of a feature network."""

from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError
from training.loops.gradient_config import GradientConfig


@dataclass(frozen=True, slots=True)
class FeatureNetworkConfig:
    """How a feature network is trained.

    Attributes:
        epochs: Passes; each draws another part of every file (`pieces_per_file`).
        batch_size: Patches or pictures per step.
        learning_rate: Of AdamW at the start; it falls along a cosine.
        weight_decay: As there.
        teacher_weight: Of the distance to the embedding of the teacher; 0 leaves it out.
        label_smoothing: Share of the target that goes to the other classes.
        pieces_per_file: Patches of a sound per epoch, at most; a picture is one piece.
        files_per_task: Files of a data set, at most, chosen by seed.
        augment: Change gain, speed, background, bands (sounds) or crop, colour (pictures).
        include_validation: Train on validation files as well, once the settings are chosen.
        mixed_precision: bfloat16 inside the networks.
        threads: Of torch.
        device: ``cpu`` or ``cuda``.
    """

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-3
    teacher_weight: float = 2.0
    label_smoothing: float = 0.1
    pieces_per_file: int = 6
    files_per_task: int = 6000
    augment: bool = True
    include_validation: bool = False
    mixed_precision: bool = True
    threads: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with.

        Raises:
            DataError: Naming the field.
        """
        for name in ("batch_size", "pieces_per_file", "files_per_task", "threads"):
            if getattr(self, name) < 1:
                raise DataError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("teacher_weight", "label_smoothing"):
            if not getattr(self, name) >= 0.0:
                raise DataError(f"{name}: expected 0 or more, got {getattr(self, name)}")

    @property
    def loop(self) -> GradientConfig:
        """What the fit loop needs to know."""
        return GradientConfig(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            smoothing=1,
            patience=self.epochs,
        )


def shipped_config(name: str) -> Path:
    """The TOML file with the settings of the weights that ship, for example of compact-audio."""
    return (
        Path(__file__).parents[1]
        / "configs"
        / "feature_networks"
        / f"{name.replace('-', '_')}.toml"
    )
