"""Five queries of each kind in the music space, with their pictures, for docs/songs.md.

    python benchmarks/songs_examples.py MEDIA/songs --out docs/images/songs
        [--space models/pretrained/songs]

``MEDIA/songs`` is what ``kyomei build-demo`` or ``kyomei build-songs`` wrote. The windows of its
test split are the collection. The queries are drawn by lot (seed 0), the same five songs for each
kind. Writes one PNG for each of the six pairs of modalities: a row per query, the query at left,
its first three answers beside it, the right one in green; prints the rank of the right answer.
"""

import argparse
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from models.features.registry import extractor
from models.features.songs.log_frequency import log_frequency_windows
from models.media.engraving import engrave_strip
from models.media.limits import MediaLimits
from models.media.load import load
from models.spaces import load_space
from models.types import Modality
from training.datasets.songs_dataset import open_songs
from training.datasets.split import TEST

mpl.use("Agg")
from matplotlib import pyplot as plt

KINDS = (Modality.AUDIO, Modality.LYRICS, Modality.SCORE)
N_QUERIES, N_ANSWERS = 5, 3
SEED = 0
RIGHT, OTHER = "#2a7d2a", "#888888"


def collection(folder: Path) -> dict[Modality, dict[str, Path]]:
    """Files of the test split by modality and id."""
    found: dict[Modality, dict[str, Path]] = {kind: {} for kind in KINDS}
    for example in open_songs(folder).examples():
        if example.split == TEST and example.path is not None:
            found[example.modality][example.id] = example.path
    return found


def embedded(space: Any, modality: Modality, files: dict[str, Path]) -> Any:
    """Unit rows (N, K) in the order of the ids."""
    own = extractor(space.views[modality].extractor)
    rows = [own.pooled(load(files[name], modality)) for name in sorted(files)]
    return space.project(modality, np.stack(rows))


def draw(axes: Any, modality: Modality, path: Path) -> None:
    """One item as one sees it: a staff, words, or pitches over time."""
    axes.set_xticks([])
    axes.set_yticks([])
    if modality is Modality.SCORE:
        strip = engrave_strip(path.read_bytes(), MediaLimits())
        axes.imshow(strip, cmap="gray", aspect="auto", vmin=0, vmax=255)
    elif modality is Modality.AUDIO:
        window = log_frequency_windows(load(path, modality))[0]  # type: ignore[arg-type]
        axes.imshow(window[:130], origin="lower", aspect="auto", cmap="magma")
    else:
        text = path.read_text("utf-8").strip()
        axes.text(0.02, 0.5, text, va="center", fontsize=7, wrap=True)


def framed(axes: Any, colour: str, title: str) -> None:
    """Put a frame and a title around a picture."""
    for side in axes.spines.values():
        side.set_edgecolor(colour)
        side.set_linewidth(2.0 if colour == RIGHT else 0.8)
    axes.set_title(title, fontsize=6, color=colour, pad=2)


def main() -> None:
    """Draw all pairs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("songs", type=Path)
    parser.add_argument("--space", type=Path, default=Path("models/pretrained/songs"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    _, space = load_space(options.space)
    files = collection(options.songs)
    names = sorted(set.intersection(*(set(own) for own in files.values())))
    files = {kind: {name: files[kind][name] for name in names} for kind in KINDS}
    rows = {kind: embedded(space, kind, files[kind]) for kind in KINDS}
    chosen = sorted(np.random.default_rng(SEED).choice(len(names), N_QUERIES, replace=False))
    options.out.mkdir(parents=True, exist_ok=True)
    for query, target in permutations(KINDS, 2):
        figure, grid = plt.subplots(
            N_QUERIES, N_ANSWERS + 1, figsize=(14, 1.05 * N_QUERIES), layout="constrained"
        )
        ranks = []
        for line, number in zip(grid, chosen, strict=True):
            scores = rows[target] @ rows[query][number]
            order = np.argsort(-scores, kind="stable")
            ranks.append(int(np.flatnonzero(order == number)[0]) + 1)
            draw(line[0], query, files[query][names[number]])
            framed(line[0], "black", names[number])
            for axes, answer in zip(line[1:], order[:N_ANSWERS], strict=True):
                draw(axes, target, files[target][names[answer]])
                colour = RIGHT if answer == number else OTHER
                framed(axes, colour, f"{names[answer]}  {scores[answer]:.2f}")
        figure.savefig(options.out / f"{query}_to_{target}.png", dpi=75)
        plt.close(figure)
        sys.stdout.write(f"{query} -> {target}: right answer at rank {ranks} of {len(names)}\n")


if __name__ == "__main__":
    main()
