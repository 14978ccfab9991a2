"""From labelled media to the weights of a feature network."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from models.checkpoint import write_json
from models.features.weights import WeightSet, find_weights, write_weights
from training.artefact import code_version
from training.feature_networks.config import FeatureNetworkConfig
from training.feature_networks.kinds import Kind, kind_of
from training.feature_networks.labelled_media import LabelledFile, LabelledMedia
from training.feature_networks.objective import FeatureNetworkObjective
from training.feature_networks.source import Pieces, PieceSource
from training.loops.checkpoints import Checkpoint
from training.loops.fit_loop import Phase, Tools, run_phase, seeded

MOST_VALIDATED = 400  # files of a task, spread evenly: enough to compare settings


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Where and how a run goes.

    Attributes:
        folder: Where weights, history and checkpoint go.
        seed: Of every random choice.
        resume: Go on from the checkpoint of a run that was interrupted.
        progress: Show bars.
    """

    folder: Path
    seed: int = 0
    resume: bool = False
    progress: bool = True


def train_feature_network(
    name: str, media: LabelledMedia, config: FeatureNetworkConfig, options: FitOptions
) -> WeightSet:
    """Train a feature network and write its weights, history and figures.

    The weights are those after the last epoch. Validation files only report, unless
    ``include_validation`` makes them part of the training.

    Args:
        name: ``compact-audio`` or ``compact-image``.
        media: What to learn from.
        config: How.
        options: Where.

    Returns:
        The weights as written: float16, which halves the file and costs no accuracy.

    Raises:
        DataError: If the weights of the teacher are missing, or training diverges.
    """
    kind = kind_of(name)
    torch.set_num_threads(config.threads)
    files = _some(media, config, options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    with seeded([options.seed, 0]):
        objective = _objective(kind, media, config)
    pieces = kind.pieces(files, media.tasks, config)
    source = PieceSource(files, pieces, config, _teacher(kind, pieces, len(files), config))
    checkpoint = Checkpoint(
        options.folder / "checkpoint.safetensors",
        _identity(name, media, config, options.seed),
        resume=options.resume,
    )
    phase = Phase("refit", config.epochs, options.seed, name, progress=options.progress)
    state = run_phase(objective, source, config.loop, phase, Tools(checkpoint=checkpoint))
    figures = _accuracies(kind, objective, media, config)
    written = _write(name, kind, media, config, options, objective, figures)
    write_json(options.folder / f"{name}_history.json", state.history)
    checkpoint.remove()
    return written


def _some(
    media: LabelledMedia, config: FeatureNetworkConfig, seed: int
) -> tuple[LabelledFile, ...]:
    """Files to train on: at most so many of each task, chosen by seed."""
    files = media.train + (media.validation if config.include_validation else ())
    rng = np.random.default_rng(seed)
    chosen = []
    for number in range(len(media.tasks)):
        own = [k for k, one in enumerate(files) if one.task == number]
        chosen += sorted(rng.permutation(own)[: config.files_per_task].tolist())
    return tuple(files[k] for k in chosen)


def _objective(
    kind: Kind, media: LabelledMedia, config: FeatureNetworkConfig
) -> FeatureNetworkObjective:
    n_classes = [len(task.classes) for task in media.tasks]
    objective = FeatureNetworkObjective(kind.build(), kind.dimension, n_classes, config)
    return objective.to(config.device)


def _teacher(
    kind: Kind, pieces: Pieces, n_files: int, config: FeatureNetworkConfig
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None:
    return kind.teach(pieces, n_files, config) if config.teacher_weight else None


def _accuracies(
    kind: Kind,
    objective: FeatureNetworkObjective,
    media: LabelledMedia,
    config: FeatureNetworkConfig,
) -> dict[str, float]:
    """Share of validation files that the classifiers name rightly, by task."""
    if config.include_validation:
        return {}
    objective.eval()
    figures = {}
    for number, task in enumerate(media.tasks):
        files = _spread([one for one in media.validation if one.task == number])
        if not files:
            continue
        pieces = kind.pieces(files, media.tasks, config)
        right = [
            int(objective.logits(torch.tensor(pieces.whole(k)), number).argmax()) == one.label
            for k, one in enumerate(files)
        ]
        figures[task.name] = float(np.mean(right))
    return figures


def _spread(files: Sequence[LabelledFile]) -> Sequence[LabelledFile]:
    return files[:: max(1, len(files) // MOST_VALIDATED)]


def _write(
    name: str,
    kind: Kind,
    media: LabelledMedia,
    config: FeatureNetworkConfig,
    options: FitOptions,
    objective: FeatureNetworkObjective,
    figures: dict[str, float],
) -> WeightSet:
    teacher = find_weights(kind.teacher)
    tensors = {
        key: value.detach().cpu().numpy().astype(np.float16)
        for key, value in objective.network.state_dict().items()
    }
    details = {
        "started_from": {"name": teacher.name, "sha256": teacher.sha256},
        "tasks": [asdict(task) | {"classes": list(task.classes)} for task in media.tasks],
        "n_train": len(media.train),
        "n_validation": len(media.validation),
        "n_left_out": media.n_left_out,
        "config": asdict(config),
        "seed": options.seed,
        "validation_accuracy": figures,
        "code_version": code_version(),
    }
    licences = " ".join(f"{task.name}: {task.licence}." for task in media.tasks)
    return write_weights(
        options.folder,
        name,
        tensors,
        source=f"trained by Kyomei from {teacher.name} ({teacher.source})",
        licence=f"start: {teacher.licence}. {licences}",
        details=details,
    )


def _identity(name: str, media: LabelledMedia, config: FeatureNetworkConfig, seed: int) -> str:
    sizes = [len(media.train), len(media.validation), [task.name for task in media.tasks]]
    return json.dumps([name, sizes, asdict(config), seed])
