"""The one loop that trains every gradient method; it sees train and validation rows only."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models.errors import DataError, ShapeError
from training.loops.batches import Batch, EpochSource
from training.loops.checkpoints import Checkpoint, LoopState
from training.loops.gradient_config import GradientConfig
from training.loops.history_log import HistoryLog
from training.loops.objective import Moment, Objective
from training.loops.schedule import learning_rate

UNSOLVED = (np.linalg.LinAlgError, torch.linalg.LinAlgError)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Phase:
    """One run of the loop.

    Attributes:
        name: ``select`` (early stopping on validation) or ``refit`` (a fixed number of epochs).
        epochs: Stop after so many; the schedule is that of the configured number.
        seed: Of order, filling rows, dropout and noise.
        title: Text of the progress bar.
        progress: Show the bar.
    """

    name: str
    epochs: int
    seed: int
    title: str
    progress: bool = True


@dataclass(frozen=True, slots=True)
class Tools:
    """What the loop reports to.

    Attributes:
        checkpoint: Where it is kept after every epoch.
        log: Where the history goes beside the bar.
        validate: Score of the network on validation rows, higher is better; None in a refit.
    """

    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint(None, ""))
    log: HistoryLog = field(default_factory=lambda: HistoryLog(None))
    validate: Callable[[], float] | None = None


def run_phase(
    objective: Objective,
    source: EpochSource,
    config: GradientConfig,
    phase: Phase,
    tools: Tools,
) -> LoopState:
    """Train until the epochs are over or patience is; leaves the best weights in the network.

    Without a validation score the last weights are kept. After every epoch the state is written,
    so that a killed run goes on with the same numbers as one that was not.

    Returns:
        The state after the last epoch: history, best epoch and score.

    Raises:
        DataError: If loss or weights stop being finite, or an epoch has nothing to learn from.
    """
    optimiser = torch.optim.AdamW(
        objective.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    state = tools.checkpoint.restore(objective, optimiser)
    with tqdm(
        total=phase.epochs,
        initial=state.epoch,
        desc=phase.title,
        unit="epoch",
        disable=not phase.progress,
    ) as bar:
        while state.epoch < phase.epochs and not _out_of_patience(state, config, tools):
            rate = _set_rate(optimiser, config, state.epoch)
            with seeded([phase.seed, state.epoch]), _diverging(state.epoch):
                losses = _train_epoch(objective, source, optimiser, config, state, phase.seed)
                score = None if tools.validate is None else tools.validate()
            state.record(losses, rate, score, objective, config.smoothing)
            tools.log.write(phase.name, state.history[-1])
            tools.checkpoint.save(objective, optimiser, state)
            best = {} if score is None else {"best": f"{state.best_score:.4f}"}
            bar.set_postfix(loss=f"{losses['loss']:.4f}", **best)
            bar.update()
    if state.best_weights:
        objective.load_state_dict(state.best_weights)
    return state


@contextmanager
def seeded(seed: list[int]) -> Iterator[None]:
    """Give torch a seed of its own inside the block and put its generators back behind it."""
    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        yield


@contextmanager
def _diverging(epoch: int) -> Iterator[None]:
    """Say what infinite numbers mean, whichever routine meets them first.

    Raises:
        DataError: In place of its error.
    """
    try:
        yield
    except (*UNSOLVED, ShapeError, ValueError) as error:
        if not isinstance(error, UNSOLVED) and not any(
            word in str(error) for word in ("finite", "NaN")
        ):
            raise
        raise DataError(
            f"numbers are not finite in epoch {epoch} ({error}); use a smaller learning_rate"
        ) from error


def _out_of_patience(state: LoopState, config: GradientConfig, tools: Tools) -> bool:
    return tools.validate is not None and state.epoch - state.best_epoch >= config.patience


def _set_rate(optimiser: torch.optim.Optimizer, config: GradientConfig, epoch: int) -> float:
    rate = learning_rate(config, epoch)
    for group in optimiser.param_groups:
        group["lr"] = rate
    return rate


def _train_epoch(
    objective: Objective,
    source: EpochSource,
    optimiser: torch.optim.Optimizer,
    config: GradientConfig,
    state: LoopState,
    seed: int,
) -> dict[str, float]:
    """One pass; returns the mean of the loss and of each of its parts."""
    objective.train()
    moment = Moment(state.epoch / config.epochs, state.epoch)
    sums: dict[str, float] = {}
    n_batches = n_steps = 0
    for batch in source.epoch(np.random.default_rng([seed, state.epoch])):
        parts = objective.loss(_noisy(batch, config.input_noise), moment)
        loss = _total(parts)
        n_steps += _step(loss, objective, optimiser, config)
        n_batches += 1
        for name, part in {"loss": loss, **parts}.items():
            sums[name] = sums.get(name, 0.0) + float(part.detach())
    means = {name: value / max(n_batches, 1) for name, value in sums.items()}
    _check_epoch(means, n_steps, objective, state)
    return means


def _check_epoch(
    means: dict[str, float], n_steps: int, objective: Objective, state: LoopState
) -> None:
    if not n_steps:
        raise DataError(
            "expected corresponding rows of two views in a batch, found none in a whole epoch; "
            "use a larger batch_size"
        )
    finite = all(bool(torch.isfinite(weights).all()) for weights in objective.parameters())
    if not finite or not np.isfinite(list(means.values())).all():
        raise DataError(
            f"the loss is not finite in epoch {state.epoch} ({means}); use a smaller learning_rate"
        )


def _total(parts: Mapping[str, Tensor]) -> Tensor:
    """Sum of the parts; 0 without a gradient where a batch has none."""
    if not parts:
        return torch.zeros(())
    return torch.stack([part.float() for part in parts.values()]).sum()


def _step(
    loss: Tensor,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    config: GradientConfig,
) -> bool:
    """Follow the gradient; False where the batch has nothing to learn from."""
    optimiser.zero_grad(set_to_none=True)
    if not loss.requires_grad:
        return False
    loss.backward()  # type: ignore[no-untyped-call]
    if config.gradient_clip:
        torch.nn.utils.clip_grad_norm_(objective.parameters(), config.gradient_clip)
    optimiser.step()
    return True


def _noisy(batch: Batch, level: float) -> Batch:
    """The batch with Gaussian noise on its features."""
    if not level:
        return batch
    features: Mapping[str, Tensor] = {
        name: rows + level * torch.randn_like(rows) for name, rows in batch.features.items()
    }
    return Batch(features, batch.labels, batch.own)
