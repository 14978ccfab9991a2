"""What semantic matching tries on the validation split, and what it settles on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from training.loops.linear_config import LinearChoice, LinearConfig, require_values

COSINE, CENTRED, PROBABILITY = "cosine", "centred", "probability"
COMPARISONS = (COSINE, CENTRED, PROBABILITY)


class PosteriorOptions(Protocol):
    """What is tried when classifiers are fitted and their posteriors compared."""

    @property
    def penalties(self) -> tuple[float, ...]:
        """L2 penalties of the mean loss; each view has the one with the best log loss."""
        ...

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Divisors of the logits: below 1 the posteriors are sharpened."""
        ...

    @property
    def comparisons(self) -> tuple[str, ...]:
        """How posteriors are compared, of ``COMPARISONS``."""
        ...


@dataclass(frozen=True, slots=True)
class SemanticConfig:
    """What ``sm`` tries on the validation split; one value each means nothing is chosen.

    Attributes:
        penalties: L2 penalties of the mean loss on standardised features; each view has the one
            with the best log loss.
        temperatures: Divisors of the logits: below 1 the posteriors are sharpened, with 2 their
            cosine is the Bhattacharyya coefficient, above 10 (and centred) it is nearly that of
            the log-posteriors.
        comparisons: How posteriors are compared: by their cosine, by that of what they have above
            1 / C (``centred``), or by the probability that both items are of one class.
        refit: Fit the chosen settings again on train and validation together.
    """

    penalties: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03, 0.1)
    temperatures: tuple[float, ...] = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 100.0)
    comparisons: tuple[str, ...] = COMPARISONS
    refit: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be fitted.

        Raises:
            DataError: Naming the field.
        """
        _check(self)


@dataclass(frozen=True, slots=True)
class SemanticCorrelationConfig(LinearConfig):
    """What ``scm`` tries on the validation split; one value each means nothing is chosen.

    Cluster-CCA is chosen first, by its own retrieval; then the classifiers in its subspace.

    Attributes:
        penalties: L2 penalties of the mean loss in the subspace; each view has the one with the
            best log loss.
        temperatures: As in ``SemanticConfig``.
        comparisons: As in ``SemanticConfig``.
    """

    penalties: tuple[float, ...] = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01)
    temperatures: tuple[float, ...] = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 100.0)
    comparisons: tuple[str, ...] = COMPARISONS

    def __post_init__(self) -> None:
        """Refuse values that cannot be fitted.

        Raises:
            DataError: Naming the field.
        """
        LinearConfig.__post_init__(self)
        _check(self)


@dataclass(frozen=True, slots=True)
class SemanticChoice:
    """One setting and what it reached on the validation split.

    Attributes:
        penalties: By view.
        temperature: See ``SemanticConfig``.
        comparison: See ``comparisons`` of ``SemanticConfig``.
        validation_score: See ``training.evaluation.protocol.validation_score``.
        projection: The cluster-CCA before the classifiers; None for ``sm``.
    """

    penalties: Mapping[str, float]
    temperature: float
    comparison: str
    validation_score: float
    projection: LinearChoice | None

    def as_dict(self) -> dict[str, float | int | str]:
        """The choice by names, for manifests and histories."""
        projection = {} if self.projection is None else asdict(self.projection)
        return {
            **{f"projection_{key}": value for key, value in projection.items()},
            **{f"penalty_{view}": value for view, value in self.penalties.items()},
            "temperature": self.temperature,
            "comparison": self.comparison,
            "validation_score": self.validation_score,
        }


def _check(options: PosteriorOptions) -> None:
    penalties, temperatures = options.penalties, options.temperatures
    require_values("penalties", penalties, "above 0", all(p > 0.0 for p in penalties))
    require_values("temperatures", temperatures, "above 0", all(t > 0.0 for t in temperatures))
    known = all(name in COMPARISONS for name in options.comparisons)
    require_values("comparisons", options.comparisons, f"of {', '.join(COMPARISONS)}", known)
