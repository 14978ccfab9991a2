"""The last state of a training run in one file, without pickle, written whole or not at all."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.checkpoint import load_tensors, save_tensors
from models.errors import ArtefactError, DataError
from training.loops.objective import Objective

_META = "meta"  # UTF-8 JSON: identity, epoch, best epoch and score, history


@dataclass(slots=True)
class LoopState:
    """Where a run of the fit loop stands.

    Attributes:
        epoch: Epochs that are done.
        best_epoch: Epochs done when the smoothed validation score was best, 0 before the first.
        best_score: That score.
        best_weights: The weights then; empty without a validation score.
        history: One entry per epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_score: float = -np.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float | int | str]] = field(default_factory=list)

    def record(
        self,
        losses: dict[str, float],
        rate: float,
        score: float | None,
        objective: Objective,
        smoothing: int = 1,
    ) -> None:
        """Count an epoch, and keep its weights when they are the best.

        Args:
            losses: Means of the epoch.
            rate: Learning rate of the epoch.
            score: On validation rows; None without validation.
            objective: Whose weights are kept.
            smoothing: The best epoch has the best mean score of so many epochs up to it: one lucky
                epoch among many on few validation rows does not end the training.
        """
        self.epoch += 1
        entry: dict[str, float | int | str] = {"epoch": self.epoch, **losses}
        entry["learning_rate"] = rate
        if score is not None:
            entry["validation_score"] = score
            known = [*(float(e["validation_score"]) for e in self.history), score]
            smoothed = float(np.mean(known[-smoothing:]))
            if smoothed > self.best_score:
                self.best_score, self.best_epoch = smoothed, self.epoch
                weights = objective.state_dict()
                self.best_weights = {name: tensor.clone() for name, tensor in weights.items()}
        self.history.append(entry)


class Checkpoint:
    """The file of one run of the fit loop.

    Args:
        path: Where it lies; None keeps none.
        identity: What the run is (method, configuration, data, seed); another run's file is
            refused.
        resume: Go on from the file where there is one; otherwise it is written over.
    """

    def __init__(self, path: Path | None, identity: str, *, resume: bool = False) -> None:
        self._path = path
        self._identity = identity
        self._resume = resume

    def save(
        self, objective: Objective, optimiser: torch.optim.Optimizer, state: LoopState
    ) -> None:
        """Write the state behind an epoch."""
        if self._path is None:
            return
        meta = {
            "identity": self._identity,
            "epoch": state.epoch,
            "best_epoch": state.best_epoch,
            "best_score": state.best_score,
            "history": state.history,
        }
        text = json.dumps(meta).encode()
        tensors: dict[str, NDArray[Any]] = {_META: np.frombuffer(text, dtype=np.uint8)}
        tensors |= _arrays("weights", objective.state_dict())
        tensors |= _arrays("best", state.best_weights)
        for number, entries in optimiser.state_dict()["state"].items():
            tensors |= _arrays(f"optimiser.{number}", entries)
        save_tensors(self._path, tensors)

    def restore(self, objective: Objective, optimiser: torch.optim.Optimizer) -> LoopState:
        """Put weights and optimiser back from the file, or give a fresh state.

        Raises:
            DataError: If the file is damaged, no checkpoint, or that of another run.
        """
        if self._path is None or not self._resume or not self._path.exists():
            return LoopState()
        tensors, meta = _read(self._path)
        if meta.get("identity") != self._identity:
            raise DataError(
                f"{self._path} belongs to a run with other settings or data; train without "
                "--resume, or into another folder"
            )
        objective.load_state_dict(_tensors("weights", tensors))
        state = optimiser.state_dict()
        keys = {name.split("/")[0] for name in tensors if name.startswith("optimiser.")}
        state["state"] = {int(key.split(".")[1]): _tensors(key, tensors) for key in sorted(keys)}
        optimiser.load_state_dict(state)
        best = _tensors("best", tensors)
        return LoopState(
            meta["epoch"], meta["best_epoch"], meta["best_score"], best, meta["history"]
        )

    def remove(self) -> None:
        """Delete the file, and what a run that was killed while writing it has left."""
        if self._path is None:
            return
        self._path.unlink(missing_ok=True)
        for unfinished in self._path.parent.glob(f".{self._path.name}.*"):
            unfinished.unlink(missing_ok=True)


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """All tensors of a checkpoint, and what it says of itself."""
    try:
        tensors = load_tensors(path)
        return tensors, json.loads(tensors[_META].tobytes())
    except (ArtefactError, KeyError, ValueError) as error:
        raise DataError(
            f"expected the checkpoint of a training run in {path}, got: {error}; train without "
            "--resume, or into another folder"
        ) from error


def _arrays(prefix: str, tensors: dict[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {f"{prefix}/{name}": tensor.cpu().numpy() for name, tensor in tensors.items()}


def _tensors(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(f"{prefix}/")
    }
