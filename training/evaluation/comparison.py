"""What a comparison of methods found, as data: one result per method and fold."""

from dataclasses import dataclass

from models.types import Float32Array, Int64Array
from training.datasets.feature_data import StrArray
from training.evaluation.protocol import Direction


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedView:
    """Rows of one view in a shared space.

    Attributes:
        embedding: Unit rows, shape (N, K).
        ids: Name of each row, shape (N,).
        labels: Class of each row, shape (N,), or None.
    """

    embedding: Float32Array
    ids: StrArray
    labels: Int64Array | None


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """One method on one fold.

    Attributes:
        method: Key in ``RECIPES``, or ``METHOD@PRESET``.
        fold: Number of the fold, from 0.
        directions: Figures on the test part of the fold, every protocol that applies.
        fit_seconds: Wall time of the fit, choices on validation included.
        parameters: The choices made on the validation part.
        embedded: Test rows of each view in the space.
        train_embedded: Training rows of each view in the space.
    """

    method: str
    fold: int
    directions: list[Direction]
    fit_seconds: float
    parameters: dict[str, float | int | str]
    embedded: dict[str, EmbeddedView]
    train_embedded: dict[str, EmbeddedView]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several methods on the same folds.

    Attributes:
        data: Name of the feature file.
        seed: Of folds, validation splits and fits.
        n_folds: Number of folds.
        classes: Name of each class.
        command: The command line that made it.
        protocols: Those that applied, see ``training.evaluation.protocol``.
        notes: What a reader of the figures has to know.
        folds: Every method and fold, methods in the order asked for.
        failures: Why a method could not be fitted, by method.
        machine: Processor, cores and device.
    """

    data: str
    seed: int
    n_folds: int
    classes: tuple[str, ...]
    command: str
    protocols: tuple[str, ...]
    notes: tuple[str, ...]
    folds: list[FoldResult]
    failures: dict[str, str]
    machine: str

    @property
    def methods(self) -> list[str]:
        """Methods that gave a result, in the order asked for."""
        return list(dict.fromkeys(result.method for result in self.folds))

    def of(self, method: str) -> list[FoldResult]:
        """Results of one method, by fold."""
        return [result for result in self.folds if result.method == method]
