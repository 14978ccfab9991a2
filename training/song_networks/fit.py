"""From a folder of triples to the weights of the song extractors."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import read_json, write_json
from models.errors import DataError
from models.features.weights import WeightSet, write_weights
from models.networks.song_blocks import MELODY, PROSODY, SPEECH, Summary
from models.networks.song_speech import Spoken
from models.types import Int64Array
from training.artefact import code_version
from training.datasets.split import TRAIN, VALIDATION
from training.datasets.triples.manifest import MANIFEST
from training.datasets.triples.pool import distinct_rows
from training.datasets.triples.renditions import SUNG
from training.loops.checkpoints import Checkpoint
from training.loops.fit_loop import Phase, Tools, run_phase, seeded
from training.song_networks.config import SongNetworksConfig
from training.song_networks.inputs import LYRICS
from training.song_networks.objective import SongNetworksObjective
from training.song_networks.source import TripleSource
from training.song_networks.triples import Triples, read_triples

NAMES = {"score": "song-score", "audio": "song-audio", "lyrics": "song-lyrics"}
POOL = 1000
_AT_ONCE = 64
_SETTLING = 16  # batches
_MOMENTUM = 0.1


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Where and how a run goes.

    Attributes:
        out: Where weights, history, checkpoint and prepared arrays go.
        seed: Of every random choice.
        resume: Go on from the checkpoint of a run that was interrupted.
        workers: Processes that prepare the arrays.
        progress: Show bars.
    """

    out: Path
    seed: int = 0
    resume: bool = False
    workers: int = 2
    progress: bool = True


def train_song_networks(
    folders: Sequence[Path], config: SongNetworksConfig, options: FitOptions
) -> tuple[list[WeightSet], dict[str, float]]:
    """Train the three networks on the training triples and write their weights.

    The weights are those of the epoch with the best figures on validation triples.

    Args:
        folders: Triples of the same excerpts, each folder with other renditions.
        config: How.
        options: Where.

    Returns:
        The weights as written (float16) and the figures on validation triples.

    Raises:
        DataError: If the triples are damaged, training diverges, or weights leave half precision.
    """
    torch.set_num_threads(config.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    triples = read_triples(
        folders, options.out / "inputs", workers=options.workers, progress=options.progress
    )
    with seeded([options.seed, 0]):
        objective = SongNetworksObjective(config).to(config.device)
        objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    source = TripleSource(triples, config, TRAIN)
    n_weights = sum(weights.numel() for weights in objective.parameters())
    identity = json.dumps(
        [len(triples.rows), sorted(triples.audio), asdict(config), options.seed, n_weights]
    )
    checkpoint = Checkpoint(options.out / "checkpoint.safetensors", identity, resume=options.resume)
    reported = options.out / "validation.json"
    figures: list[dict[str, float]] = (
        json.loads(reported.read_text()) if options.resume and reported.is_file() else []
    )

    undisturbed = TripleSource(triples, replace(config, augment=False), TRAIN)

    def validate() -> float:
        settle_norms(objective, undisturbed, seed=options.seed)
        figures.append(validation_figures(objective, triples, seed=options.seed))
        write_json(reported, figures)
        return float(np.mean(list(figures[-1].values())))

    phase = Phase("fit", config.epochs, options.seed, "songs", progress=options.progress)
    tools = Tools(checkpoint=checkpoint, validate=validate)
    state = run_phase(objective, source, config.loop, phase, tools)
    write_json(options.out / "history.json", state.history)
    best = validation_figures(objective, triples, seed=options.seed)
    weights = [
        _write(name, objective, folders[0], triples, config, options, best) for name in NAMES
    ]
    checkpoint.remove()
    return weights, best


def settle_norms(objective: SongNetworksObjective, source: TripleSource, *, seed: int) -> None:
    """Take the means and variances before unit rows from undisturbed training triples.

    Those that gather while training are of disturbed ones, and of all the steps behind; rows that
    say little of their item are lost among them.
    """
    norms = [one.norm for one in objective.modules() if isinstance(one, Summary | Spoken)]
    objective.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
        norm.train()
    with torch.no_grad():
        for batch in islice(source.epoch(np.random.default_rng([seed, _SETTLING])), _SETTLING):
            for name in ("score", "audio"):
                objective.music(name, batch.features[name])
            objective.words(batch.features["lyrics"])
    for norm in norms:
        norm.momentum = _MOMENTUM
    objective.train()


def validation_figures(
    objective: SongNetworksObjective, triples: Triples, *, seed: int, split: str = VALIDATION
) -> dict[str, float]:
    """MRR of melodies and R@10 of words among at most ``POOL`` triples, by rendition.

    Words are found by prosody, and where they are sung by speech too.
    """
    numbers = _pool(triples, split, seed)
    objective.eval()
    with torch.no_grad():
        score = _embedded(objective, "score", triples.score, numbers)
        words = _embedded(objective, "lyrics", triples.lyrics, numbers)
        prosody = words[:, :PROSODY]
        found = {"score to lyrics R@10": _recall(score[:, MELODY:] @ prosody.T)}
        for name, windows in triples.audio.items():
            audio = _embedded(objective, "audio", windows, numbers)
            melodies = score[:, :MELODY] @ audio[:, :MELODY].T
            found[f"score to {name} MRR"] = _mrr(melodies)
            found[f"{name} to score MRR"] = _mrr(melodies.T)
            end = None if name == SUNG else -SPEECH
            found[f"{name} to lyrics R@10"] = _recall(audio[:, MELODY:end] @ words[:, :end].T)
    objective.train()
    return {name: round(value, 4) for name, value in found.items()}


def _pool(triples: Triples, split: str, seed: int) -> Int64Array:
    """Numbers of the triples of a pool."""
    chosen = {row["id"] for row in distinct_rows(triples.rows, split, seed, POOL)}
    return np.flatnonzero(np.array([row["id"] in chosen for row in triples.rows]))


def _embedded(
    objective: SongNetworksObjective,
    name: str,
    inputs: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    numbers: Int64Array,
) -> Tensor:
    rows = []
    for first in range(0, len(numbers), _AT_ONCE):
        batch = torch.from_numpy(inputs[numbers[first : first + _AT_ONCE]])
        batch = batch.to(next(objective.parameters()).device)
        lyrics = name == LYRICS
        told = objective.words(batch) if lyrics else objective.music(name, batch)
        rows.append(told.rows)
    return torch.cat(rows).cpu()


def _ranks(similarities: Tensor) -> Tensor:
    own = similarities.diagonal()[:, None]
    return 1 + (similarities > own).sum(dim=1)


def _mrr(similarities: Tensor) -> float:
    return float((1.0 / _ranks(similarities)).mean())


def _recall(similarities: Tensor) -> float:
    return float((_ranks(similarities) <= 10).float().mean())


def _write(
    name: str,
    objective: SongNetworksObjective,
    folder: Path,
    triples: Triples,
    config: SongNetworksConfig,
    options: FitOptions,
    figures: dict[str, float],
) -> WeightSet:
    network = objective.get_submodule(name)
    tensors = {
        key: value.detach().cpu().numpy().astype(np.float16)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    infinite = [key for key, array in tensors.items() if not np.isfinite(array).all()]
    if infinite:
        raise DataError(f"{name}: expected numbers that half precision holds, not {infinite[0]}")
    manifest = read_json(folder / MANIFEST)
    details = {
        "triples": manifest["settings"],
        "n_train": len(triples.of_split(TRAIN)),
        "n_validation": len(triples.of_split(VALIDATION)),
        "renditions": sorted(triples.audio),
        "config": asdict(config),
        "seed": options.seed,
        "validation": figures,
        "code_version": code_version(),
    }
    return write_weights(
        options.out,
        NAMES[name],
        tensors,
        source=f"trained by Kyomei on {manifest['settings']['source']}: {manifest['citation']}",
        licence=f"trained on {manifest['licence']}",
        details=details,
    )
