"""The networks that a configuration asks for, one per view."""

from models.encoders.mlp import mlp_specification
from models.encoders.specification import Specification
from training.loops.gradient_config import GradientConfig
from training.loops.network_problem import NetworkProblem


def perceptrons(
    problem: NetworkProblem, config: GradientConfig, *, n_outputs: int | None = None
) -> dict[str, Specification]:
    """D -> hidden widths -> K for each view; K is ``config.n_components`` when not given."""
    return {
        name: mlp_specification(
            (view.dimension, *config.widths, n_outputs or config.n_components),
            activation=config.activation,
            normalisation=config.normalisation,
            dropout=config.dropout,
            input_dropout=config.input_dropout,
        )
        for name, view in problem.views.items()
    }


def decoders(
    problem: NetworkProblem, config: GradientConfig, *, n_inputs: int
) -> dict[str, Specification]:
    """K -> hidden widths in reverse -> D for each view, without dropout."""
    return {
        name: mlp_specification(
            (n_inputs, *reversed(config.widths), view.dimension),
            activation=config.activation,
            normalisation=config.normalisation,
        )
        for name, view in problem.views.items()
    }
