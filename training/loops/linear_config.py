"""What the linear and kernel methods try on the validation split, and what they settle on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from models.errors import DataError


@dataclass(frozen=True, slots=True)
class LinearConfig:
    """What is tried on the validation split; one value each means nothing is chosen.

    Attributes:
        ridges: Added to the variances of standardised features (1 is a feature's own variance).
        betas: Shares of true pairs beside same-class pairs; only for c-cca and c-kcca of paired
            data. 0 is pure cluster-CCA, 0.2 the released code of TNN-C-CCA, 1 plain CCA.
        correlation_powers: Each direction is scaled by its correlation to this power (Gong, Ke,
            Isard, Lazebnik, "A Multi-View Embedding Space", IJCV 2014).
        n_components: Sizes K tried; larger than possible is cut. Methods without true pairs have
            at most C - 1.
        refit: Fit the chosen settings again on train and validation together.
    """

    ridges: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
    betas: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    correlation_powers: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 6.0)
    n_components: tuple[int, ...] = (8, 16, 32, 64)
    refit: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be fitted.

        Raises:
            DataError: Naming the field.
        """
        require_values("ridges", self.ridges, "0 or more", all(r >= 0.0 for r in self.ridges))
        require_values("betas", self.betas, "in [0, 1]", all(0.0 <= b <= 1.0 for b in self.betas))
        powers = self.correlation_powers
        require_values("correlation_powers", powers, "0 or more", all(p >= 0.0 for p in powers))
        sizes = self.n_components
        require_values("n_components", sizes, "1 or more", all(k >= 1 for k in sizes))


@dataclass(frozen=True, slots=True)
class LinearChoice:
    """One setting and what it reached on the validation split.

    Attributes:
        ridge: See ``LinearConfig``.
        beta: Share of true pairs, 1 for plain CCA.
        correlation_power: See ``LinearConfig``.
        n_components: K.
        validation_score: See ``training.evaluation.protocol.validation_score``.
    """

    ridge: float
    beta: float
    correlation_power: float
    n_components: int
    validation_score: float

    def as_dict(self) -> dict[str, float | int | str]:
        """The choice by names, for manifests and histories."""
        return {**asdict(self)}


def require_values(name: str, values: Sequence[object], wanted: str, valid: bool) -> None:
    """Refuse an empty list of values, or one with a value out of range.

    Raises:
        DataError: Naming the field, what was expected and what came.
    """
    if not values or not valid:
        raise DataError(f"expected at least one value for {name}, each {wanted}, got {[*values]}")
