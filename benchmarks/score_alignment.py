"""How well `kyomei align` finds the bars of whole songs whose tempo drifts.

    python benchmarks/score_alignment.py FOLDER_OF_MUSICXML [--songs 10] [--seed 0]

Songs spread over the folder are played whole, all parts on a piano of the installed soundfont, at a
tempo that drifts from bar to bar (a random walk, up to 1.65 times slower or faster). Prints a line
per song (bars, seconds, median and 95th percentile of the error of the bar starts in seconds, time
of the alignment) and the same over all bars.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from models.errors import DataError
from models.types import Audio, Float64Array
from training.alignment.bars import ScoreNote, align_bars
from training.alignment.score import read_notes
from training.datasets.triples.scores import SUFFIXES
from training.datasets.triples.soundfont import (
    SAMPLE_RATE_HZ,
    SoundfontPlayer,
    TimedNote,
    find_soundfont,
)

QUARTER_SECONDS = 0.55
DRIFT, MOST_DRIFT = 0.06, 0.5  # of the logarithm of the tempo: per bar, and in all
MOST_QUARTERS = 500


def drifting(bar_starts: list[float], rng: np.random.Generator) -> Float64Array:
    """Seconds at which each bar begins, and the last one ends."""
    walk = np.cumsum(rng.normal(0.0, DRIFT, len(bar_starts) - 1)).clip(-MOST_DRIFT, MOST_DRIFT)
    seconds = np.diff(bar_starts) * QUARTER_SECONDS * np.exp(walk)
    return np.concatenate([[0.0], np.cumsum(seconds)])


def played(
    player: SoundfontPlayer, notes: list[ScoreNote], quarters: list[float], seconds: Float64Array
) -> Audio:
    """All notes on a piano, with the bars where they should be."""

    def at(quarter: float) -> float:
        return float(np.interp(quarter, quarters, seconds))

    timed = [TimedNote(at(n.onset), at(n.onset + n.duration), n.pitch, 90) for n in notes]
    samples = player.play(timed, program=0, seconds=float(seconds[-1]))
    return Audio(samples, SAMPLE_RATE_HZ)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scores", type=Path)
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    paths = [path for path in sorted(options.scores.rglob("*")) if path.suffix in SUFFIXES]
    paths = paths[:: max(1, len(paths) // options.songs)][: options.songs]
    every: list[float] = []
    with SoundfontPlayer(find_soundfont()) as player:
        for path in paths:
            try:
                notes, starts = read_notes(path)
            except DataError:
                continue  # nothing is sung
            if starts[-1] > MOST_QUARTERS:
                continue
            seconds = drifting(starts, rng)
            audio = played(player, notes, starts, seconds)
            began = time.perf_counter()
            found = align_bars(notes, starts, audio)
            took = time.perf_counter() - began
            errors = np.abs([bar.start_seconds for bar in found] - seconds[:-1])
            every += errors.tolist()
            sys.stdout.write(
                f"{line(path.stem, errors)}  {audio.duration_seconds:4.0f} s in {took:.1f} s\n"
            )
    sys.stdout.write(f"{line('all', np.array(every))}\n")


def line(name: str, errors: Float64Array) -> str:
    """One line of figures."""
    middle, most = np.quantile(errors, (0.5, 0.95))
    return f"{name:14s} {len(errors):4d} bars  median {middle:.3f} s  95 % within {most:.3f} s"


if __name__ == "__main__":
    main()
