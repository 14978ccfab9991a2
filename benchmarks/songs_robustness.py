"""How a space of songs stands up to what happens to scores and recordings on their way.

    python benchmarks/songs_robustness.py TRIPLES --space RUN [--rendition voice] [--pool 1000]
        [--other-soundfont TimGM6mb.sf2] [--json OUT.json]

``TRIPLES`` is a folder of ``kyomei build-triples``; ``RUN`` a space with the views audio and score.
Of the test triples a pool of distinct ones is drawn by seed (no two with the same notes or words).
Each disturbance changes either all sounds or all images of the pool, which then are the queries;
the other side is untouched. ``notes erased`` keeps the staff lines only, ``signature only`` also
the clef, key and metre: what the first still finds, a picture gives away without its music.

Prints a Markdown table: disturbance, MRR and recall@10, chance, and the loss of MRR against the
undisturbed queries of the same kind.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from models.checkpoint import write_json
from models.features.registry import extractor
from models.features.staff_lines import ink_of, long_runs
from models.media.load import load
from models.spaces import load_space
from models.types import Audio, Modality, Score, UInt8Array
from training.datasets.split import TEST
from training.datasets.triples.manifest import read_rows
from training.datasets.triples.performance import INSTRUMENTS
from training.datasets.triples.pool import distinct_rows
from training.datasets.triples.soundfont import (
    SAMPLE_RATE_HZ,
    SoundfontPlayer,
    TimedNote,
    find_soundfont,
)

Row = dict[str, Any]
_VELOCITY = 96
_SIGNATURE = 0.12  # of the width of a strip, where clef, key and metre are


class Sounds:
    """The sound of a triple, as it was written or played again from its notes."""

    def __init__(self, folder: Path, rendition: str, soundfont: Path | None) -> None:
        self._folder, self._rendition = folder, rendition
        self._player = SoundfontPlayer(find_soundfont())
        self._other = SoundfontPlayer(soundfont) if soundfont else None

    def written(self, row: Row) -> Audio:
        """The file."""
        return load(self._folder / row["files"][self._rendition], Modality.AUDIO)  # type: ignore[return-value]

    def played(
        self, row: Row, *, tempo: float = 1.0, semitones: int = 0, other: bool = False
    ) -> Audio:
        """The melody alone, played again."""
        notes = [
            TimedNote(onset / tempo, (onset + length) / tempo, pitch + semitones, _VELOCITY)
            for onset, length, pitch, _ in row["notes"]
        ]
        player = self._other if other and self._other else self._player
        program = INSTRUMENTS[row["instrument"]]
        samples = player.play(notes, program=program, seconds=row["seconds"] / tempo)
        return Audio(samples, SAMPLE_RATE_HZ)

    def noisy(self, row: Row, decibels: float) -> Audio:
        """With white noise so far below the sound."""
        clean = self.written(row)
        rng = np.random.default_rng(len(clean.samples))
        power = float((clean.samples.astype(np.float64) ** 2).mean())
        noise = rng.normal(0.0, np.sqrt(power * 10.0 ** (-decibels / 10.0)), len(clean.samples))
        return Audio((clean.samples + noise).astype(np.float32), clean.sample_rate_hz)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def rotated(page: UInt8Array, degrees: float) -> UInt8Array:
    """Turned about its middle on white paper."""
    wide = Image.fromarray(np.pad(page, 40, constant_values=255))
    return np.asarray(wide.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255))


def scaled(page: UInt8Array, factor: float) -> UInt8Array:
    """Larger or smaller."""
    size = (round(page.shape[1] * factor), round(page.shape[0] * factor))
    return np.asarray(Image.fromarray(page).resize(size, Image.Resampling.BICUBIC))


def compressed(page: UInt8Array, quality: int) -> UInt8Array:
    """Written as a JPEG file and read again."""
    file = io.BytesIO()
    Image.fromarray(page).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(io.BytesIO(file.getvalue())))


def erased(page: UInt8Array, *, keep: float = 0.0) -> UInt8Array:
    """Staff lines only, and what stands in the first share of the width."""
    ink = ink_of(page)
    rows = long_runs(ink > 0.15, page.shape[1] // 4).mean(axis=1) > 0.3
    left = np.full_like(page, 255)
    left[rows] = np.median(page[rows], axis=1, keepdims=True).astype(np.uint8)
    signature = round(keep * page.shape[1])
    left[:, :signature] = page[:, :signature]
    return left


def embedded(space: Any, view: str, media: Iterable[Any], n: int, title: str) -> Any:
    """Rows of a space for media, one after the other."""
    known = extractor(space.views[view].extractor)
    rows = [known.pooled(one) for one in tqdm(media, total=n, desc=title, leave=False)]
    return space.project(view, np.stack(rows))


def figures(queries: Any, gallery: Any) -> tuple[float, float]:
    """MRR and recall@10 of partners in the same place; ties count against."""
    similarities = queries @ gallery.T
    own = similarities.diagonal()[:, None]
    ranks = (similarities >= own).sum(axis=1)
    return float((1.0 / ranks).mean()), float((ranks <= 10).mean())


def sound_disturbances(sounds: Sounds) -> dict[str, Callable[[Row], Audio]]:
    """By name; those beginning with ``played again`` have the melody alone."""
    return {
        "as written": sounds.written,
        "played again": sounds.played,
        "other soundfont": lambda row: sounds.played(row, other=True),
        "tempo 0.85": lambda row: sounds.played(row, tempo=0.85),
        "tempo 1.15": lambda row: sounds.played(row, tempo=1.15),
        **{
            f"transposed by {semitones:+d}": lambda row, s=semitones: sounds.played(
                row, semitones=s
            )
            for semitones in (-3, -1, 1, 3)
        },
        "noise at 10 dB": lambda row: sounds.noisy(row, 10.0),
    }


def image_disturbances() -> dict[str, Callable[[UInt8Array], UInt8Array]]:
    """By name."""
    return {
        "as written": lambda page: page,
        "rotated by 2 degrees": lambda page: rotated(page, 2.0),
        "rotated by -2 degrees": lambda page: rotated(page, -2.0),
        "scaled to 0.7": lambda page: scaled(page, 0.7),
        "scaled to 1.4": lambda page: scaled(page, 1.4),
        "JPEG quality 30": lambda page: compressed(page, 30),
        "signature only": lambda page: erased(page, keep=_SIGNATURE),
        "notes erased": erased,
    }


def measured(
    kind: str, found: Iterator[tuple[str, tuple[float, float]]], n: int
) -> list[dict[str, Any]]:
    """Lines of the table; each is printed when it is there."""
    chance = float((1.0 / np.arange(1, n + 1)).mean())
    lines: list[dict[str, Any]] = []
    for name, (mrr, recall) in found:
        loss = lines[0]["mrr"] - mrr if lines else 0.0
        lines.append({"query": kind, "disturbance": name, "mrr": mrr, "recall@10": recall})
        say(f"| {kind} | {name} | {mrr:.3f} | {recall:.3f} | {loss:+.3f} | {chance:.3f} |")
    return lines


def main() -> None:
    """Measure all disturbances."""
    parser = argparse.ArgumentParser()
    parser.add_argument("triples", type=Path)
    parser.add_argument("--space", type=Path, required=True)
    parser.add_argument("--rendition", default="voice")
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--other-soundfont", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    _, space = load_space(options.space)
    rows = distinct_rows(read_rows(options.triples), TEST, options.seed, options.pool)
    n = len(rows)
    pages = [load(options.triples / row["files"]["score"], Modality.SCORE).pages[0] for row in rows]  # type: ignore[union-attr]
    sounds = Sounds(options.triples, options.rendition, options.other_soundfont)
    say(f"{n} test triples of {options.triples.name}, seed {options.seed}\n")
    say("| query | disturbance | MRR | R@10 | loss of MRR | chance MRR |")
    say("| --- | --- | ---: | ---: | ---: | ---: |")
    scores = embedded(space, "score", (Score((page,), True) for page in pages), n, "scores")
    audio = embedded(space, "audio", map(sounds.written, rows), n, "sounds")

    def heard() -> Iterator[tuple[str, tuple[float, float]]]:
        for name, change in sound_disturbances(sounds).items():
            yield name, figures(embedded(space, "audio", map(change, rows), n, name), scores)

    def seen() -> Iterator[tuple[str, tuple[float, float]]]:
        for name, change in image_disturbances().items():
            changed = (Score((change(page),), False) for page in pages)
            yield name, figures(embedded(space, "score", changed, n, name), audio)

    lines = measured("audio", heard(), n) + measured("score", seen(), n)
    if options.json:
        write_json(options.json, {"pool": n, "seed": options.seed, "rows": lines})


if __name__ == "__main__":
    main()
