"""The triples of a folder as arrays to train with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.types import Float32Array, Int64Array, UInt8Array
from training.datasets.triples.manifest import read_rows
from training.song_networks.inputs import LYRICS, SCORE, prepared
from training.song_networks.letters import sung_letters

PLACES = 256  # of the melody over a window
LOWEST, HIGHEST = 36, 96  # MIDI pitches with a class of their own
MOST_HEADS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Triples:
    """N triples.

    Attributes:
        rows: Their lines of the table.
        score: Strips, (N, rows, columns).
        lyrics: Codes, (N, length).
        audio: Windows of sound by rendition, (N, bands, frames) each.
        melody: Class of the pitch that sounds at each place, 0 where none does, (N, PLACES).
        letters: Class of the letter that is sung there, where the words are, (N, PLACES).
        heads: Place along the staff and class of the pitch of each written notehead, zeros behind
            the last, (N, MOST_HEADS, 2).
        same_melody: Equal numbers have the same notes, (N,).
        same_words: Equal numbers have the same words, (N,).
    """

    rows: Sequence[dict[str, Any]]
    score: NDArray[np.uint8]
    lyrics: NDArray[np.uint8]
    audio: dict[str, NDArray[np.uint8]]
    melody: UInt8Array
    letters: UInt8Array
    heads: Float32Array
    same_melody: Int64Array
    same_words: Int64Array

    def of_split(self, split: str) -> Int64Array:
        """Numbers of the triples of one split."""
        return np.flatnonzero(np.array([row["split"] == split for row in self.rows]))


def pitch_class(pitch: int) -> int:
    """Number of a MIDI pitch from 1; pitches beyond the ends count as the ends."""
    return min(max(pitch, LOWEST), HIGHEST) - LOWEST + 1


def read_triples(
    folders: Sequence[Path], cache: Path, *, workers: int = 2, progress: bool = True
) -> Triples:
    """Read folders of triples of the same excerpts, each with other renditions, as one set.

    Args:
        folders: As ``kyomei build-triples`` writes them; pictures and words are those of the first.
        cache: Folder for the prepared arrays.
        workers: Processes that prepare.
        progress: Show bars.

    Raises:
        DataError: If a table is damaged, or a folder lacks an excerpt of the first.
    """
    rows = list(read_rows(folders[0]))
    if not rows:
        raise DataError(f"{folders[0]}: expected triples, found none")

    def face(folder: Path, own: Sequence[dict[str, Any]], name: str) -> NDArray[np.uint8]:
        files = [folder / row["files"][name] for row in own]
        hashes = [row["sha256"][name] for row in own]
        return prepared(name, files, cache, identity=hashes, workers=workers, progress=progress)

    audio = {}
    for folder in folders:
        by_id = {row["id"]: row for row in read_rows(folder)}
        lacking = [row["id"] for row in rows if row["id"] not in by_id]
        if lacking:
            raise DataError(f"{folder}: expected the excerpts of {folders[0]}, lacks {lacking[0]}")
        own = [by_id[row["id"]] for row in rows]
        for name in own[0]["files"]:
            if name not in (SCORE, LYRICS):
                audio[name] = face(folder, own, name)
    return Triples(
        rows=rows,
        score=face(folders[0], rows, SCORE),
        lyrics=face(folders[0], rows, LYRICS),
        audio=audio,
        melody=np.stack([_melody(row) for row in rows]),
        letters=np.stack([sung_letters(row, PLACES) for row in rows]),
        heads=np.stack([_heads(row) for row in rows]),
        same_melody=_numbers([row["melody"] for row in rows]),
        same_words=_numbers([row["words"] for row in rows]),
    )


def _melody(row: dict[str, Any]) -> UInt8Array:
    places = np.zeros(PLACES, np.uint8)
    scale = PLACES / row["seconds"]
    for onset, duration, pitch, _ in row["notes"]:
        places[round(onset * scale) : round((onset + duration) * scale)] = pitch_class(pitch)
    return places


def _heads(row: dict[str, Any]) -> Float32Array:
    heads = np.zeros((MOST_HEADS, 2), np.float32)
    for number, (place, pitch) in enumerate(row["heads"][:MOST_HEADS]):
        heads[number] = place, pitch_class(pitch)
    return heads


def _numbers(keys: Sequence[str]) -> Int64Array:
    return np.unique(np.array(keys), return_inverse=True)[1].astype(np.int64)
