"""From a gradient method to a space: choose the epochs on validation, refit, close the space."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from models.cca.linalg import Projections
from models.cca.unit_rows import unit_rows
from models.encoders.affine import Affine, affine_specification, affine_state
from models.encoders.chain import Chain, chain_specification
from models.encoders.registry import build_encoder
from models.errors import DataError
from models.network_space import NetworkSpace, NetworkView
from models.types import Float32Array
from training.datasets.feature_data import FeatureData, FeatureView
from training.evaluation.protocol import validation_score
from training.loops.batches import BatchSource
from training.loops.checkpoints import Checkpoint, LoopState
from training.loops.fit_loop import Phase, Tools, run_phase, seeded
from training.loops.gradient_config import GradientConfig
from training.loops.history_log import HistoryLog
from training.loops.network_problem import NetworkProblem, pose_problem
from training.loops.objective import Objective
from training.loops.recipe import Choice, FitContext, FitResult

ROWS_AT_ONCE = 4096
SELECT, REFIT = "select", "refit"
History = list[dict[str, Choice]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a gradient method adds to the common path.

    Attributes:
        method: Key in ``RECIPES``.
        build: Makes network and loss for the rows at hand; torch's generator is seeded.
        sequences: Keep features over time.
        uses_labels: False for methods without labels: where validation rows have partners they
            alone stop the training.
    """

    method: str
    build: Callable[[NetworkProblem, Any], Objective]
    sequences: bool = False
    uses_labels: bool = True


def fit_network(
    plan: Plan, data: FeatureData, config: GradientConfig, context: FitContext
) -> FitResult:
    """Train a gradient method and give it as a space.

    The strength of dropout (``config.dropout_factors``) and the number of epochs are those with
    the best validation score. With ``config.refit`` the network is then trained again, so strong
    and for so many epochs, on train and validation rows; its learning rate falls over these epochs.

    Args:
        plan: The method.
        data: Without test rows.
        config: Its configuration.
        context: Seed, progress, folder of checkpoints.

    Raises:
        DataError: If the method lacks the labels or pairs it needs, or diverges.
    """
    folder = context.folder if config.log == "tensorboard" else None
    log = HistoryLog(folder / "log" if folder else None)
    strengths = [config.with_dropout(factor) for factor in config.dropout_factors]
    runs = [_Run(plan, data, one, context, log, n) for n, one in enumerate(strengths)]
    try:
        selections = [run.select() for run in runs]
        best = max(range(len(runs)), key=lambda number: selections[number][0].best_score)
        chosen, trained = selections[best]
        history = [entry for state, _ in selections for entry in state.history]
        if config.refit:
            trained, more = runs[best].refit(chosen.best_epoch)
            history = [*history, *more]
    finally:
        log.close()
    parameters: dict[str, Choice] = {
        "best_epoch": chosen.best_epoch,
        "validation_score": round(chosen.best_score, 6),
        **{name: _plain(value) for name, value in asdict(strengths[best]).items()},
    }
    space = _space(plan.method, trained)
    for run in runs:
        run.forget()
    return FitResult(space, parameters, history)


class _Trained(NamedTuple):
    objective: Objective
    problem: NetworkProblem


class _Run:
    """The two phases of one fit with one strength of dropout, the ``number``-th of the fit."""

    def __init__(
        self,
        plan: Plan,
        data: FeatureData,
        config: GradientConfig,
        context: FitContext,
        log: HistoryLog,
        number: int,
    ) -> None:
        self._plan, self._data, self._config, self._context = plan, data, config, context
        self._device = _device(config)
        self._identity = _identity(plan, data, config, context)
        self._log = log
        self._select = SELECT if number == 0 else f"{SELECT}_{number + 1}"
        if not context.resume:
            self.forget()  # what another run has left there is of no use to this one

    def select(self) -> tuple[LoopState, _Trained]:
        """Train on the train rows, watched by the validation rows."""
        problem = pose_problem(self._data, sequences=self._plan.sequences)
        objective = self._build(problem)
        labels = self._plan.uses_labels or not problem.validation_paired

        def validate() -> float:
            embedded = _embedded(objective, problem, problem.validation)
            return validation_score(embedded, problem.validation, use_labels=labels)

        tools = Tools(self._checkpoint(self._select), self._log, validate)
        trained = _Trained(objective, problem)
        state = self._train(self._select, self._config, trained, tools)
        for entry in state.history:
            entry["dropout"] = self._config.dropout
        return state, trained

    def refit(self, epochs: int) -> tuple[_Trained, History]:
        """Train on train and validation rows for the chosen number of epochs."""
        problem = pose_problem(self._data, sequences=self._plan.sequences, join=True)
        trained = _Trained(self._build(problem), problem)
        tools = Tools(self._checkpoint(REFIT), self._log)
        state = self._train(REFIT, replace(self._config, epochs=epochs), trained, tools)
        return trained, [{**entry, "phase": REFIT} for entry in state.history]

    def forget(self) -> None:
        """Delete the checkpoints."""
        for phase in (self._select, REFIT):
            self._checkpoint(phase).remove()

    def _build(self, problem: NetworkProblem) -> Objective:
        with seeded([self._context.seed]):
            objective = self._plan.build(problem, self._config).to(self._device)
        objective.encoders.mixed_precision = (
            self._config.mixed_precision and self._device.type == "cuda"
        )
        return objective

    def _train(
        self, phase: str, config: GradientConfig, trained: _Trained, tools: Tools
    ) -> LoopState:
        rows = trained.problem.train
        if not self._plan.uses_labels:  # or they would decide how often a row is drawn
            rows = {name: replace(view, labels=None) for name, view in rows.items()}
        source = BatchSource(
            rows,
            batch_size=config.batch_size,
            batches_per_epoch=config.batches_per_epoch,
            balanced=config.balanced,
            shuffle=config.shuffle,
            device=self._device,
        )
        title = f"{self._plan.method}: {phase}"
        settings = Phase(phase, config.epochs, self._context.seed, title, self._context.progress)
        return run_phase(trained.objective, source, config, settings, tools)

    def _checkpoint(self, phase: str) -> Checkpoint:
        folder = self._context.folder
        path = None if folder is None else folder / f"checkpoint_{phase}.safetensors"
        return Checkpoint(path, self._identity, resume=self._context.resume)


def embed_rows(objective: Objective, views: Mapping[str, FeatureView]) -> dict[str, Float32Array]:
    """Outputs (N, K) of the encoders for standardised rows of every view, without gradients."""
    objective.eval()
    device = next(iter(objective.state_dict().values())).device
    embedded = {}
    with torch.inference_mode():
        for name, view in views.items():
            parts = torch.split(torch.from_numpy(view.features), ROWS_AT_ONCE)
            outputs = [objective.encoders(name, part.to(device)).float().cpu() for part in parts]
            embedded[name] = torch.cat(outputs).numpy()
    return embedded


def _embedded(
    objective: Objective, problem: NetworkProblem, views: Mapping[str, FeatureView]
) -> dict[str, Float32Array]:
    """Unit rows of every view, behind the head that the training rows give and what closes."""
    rows = embed_rows(objective, views)
    head = _head(objective, problem)
    if head is not None:
        for name, mean, weights in zip(problem.train, head.means, head.weights, strict=True):
            rows[name] = ((rows[name] - mean) @ weights).astype(np.float32)
    if objective.closing is not None:
        closing = build_encoder(objective.closing)
        rows = {name: closing(torch.from_numpy(x)).numpy() for name, x in rows.items()}
    return {name: unit_rows(x) for name, x in rows.items()}


def _head(objective: Objective, problem: NetworkProblem) -> Projections | None:
    if not objective.has_head:
        return None
    return objective.head(embed_rows(objective, problem.train), problem.train)


def _space(method: str, trained: _Trained) -> NetworkSpace:
    """Encoders with their heads, on the CPU."""
    objective, problem = trained
    head = _head(objective, problem)
    objective.cpu().eval()
    maps = {}
    for number, name in enumerate(problem.train):
        specification = objective.encoders.specifications[name]
        encoder: torch.nn.Module = objective.encoders.of(name)
        if head is not None:
            weights = head.weights[number]
            stage = affine_specification(*weights.shape)
            affine = Affine(stage)
            affine.load_state_dict(affine_state(head.means[number], weights))
            specification = chain_specification(specification, stage)
            encoder = Chain([encoder, affine])
        if objective.closing is not None:
            specification = chain_specification(specification, objective.closing)
            encoder = Chain([encoder, build_encoder(objective.closing)])
        standardiser = problem.standardisers[name]
        maps[name] = NetworkView(
            standardiser.mean.astype(np.float32),
            standardiser.scale.astype(np.float32),
            specification,
            encoder,
            problem.typicality(name),
        )
    return NetworkSpace(method, problem.views, maps)


def _device(config: GradientConfig) -> torch.device:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise DataError("expected a CUDA device for device = 'cuda', found none; use 'auto'")
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted if config.device == "auto" else config.device)


def _identity(plan: Plan, data: FeatureData, config: GradientConfig, context: FitContext) -> str:
    """Hash of method, settings, seed and training rows."""
    digest = hashlib.sha256(repr((plan.method, config, context.seed)).encode())
    for name, view in data.views.items():
        digest.update(repr((name, view.features.shape)).encode())
        digest.update(np.ascontiguousarray(view.features).tobytes())
        digest.update("\n".join([*view.ids.tolist(), *view.split.tolist()]).encode())
        digest.update(b"" if view.labels is None else view.labels.tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Choice:
    """A setting as a manifest keeps it."""
    return value if isinstance(value, int | float | str) else " ".join(map(str, value))
