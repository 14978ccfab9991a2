"""What a recipe is: how one method is fitted, on train and validation rows only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.spaces import SharedSpace
from training.datasets.feature_data import FeatureData

Choice = float | int | str
PAIRS, LABELS = "pairs", "labels"


@dataclass(frozen=True, slots=True)
class FitContext:
    """What a fit is told beside its data and configuration.

    Attributes:
        seed: Of every random choice of the fit.
        progress: Show a bar.
        folder: Where a gradient method keeps its last checkpoint and its log; None keeps neither.
        resume: Go on from the checkpoint in ``folder``, where there is one.
    """

    seed: int = 0
    progress: bool = True
    folder: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class FitResult:
    """What a recipe gives.

    Attributes:
        space: The fitted space.
        parameters: The choices made on the validation split.
        history: Every setting or epoch with its ``validation_score``, for the plot.
    """

    space: SharedSpace
    parameters: dict[str, Choice]
    history: list[dict[str, Choice]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a method is fitted.

    Attributes:
        config: Its configuration, a frozen dataclass of defaults.
        fit: Maps (data, configuration, context) to the result. The data hold no test rows.
        summary: One line for people.
        needs: Of ``PAIRS`` (rows of different views with equal ids) and ``LABELS``, what the
            method cannot do without.
        choices: The few settings worth searching on validation: field of ``config`` -> values.
    """

    config: type[Any]
    fit: Callable[[FeatureData, Any, FitContext], FitResult]
    summary: str
    needs: frozenset[str] = frozenset()
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
