"""The triples of a folder as arrays to train with."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.features.songs.character_codes import LENGTH, text_parts
from models.networks.song_melody import HIGHEST, LOWEST
from models.types import Float32Array, Int64Array, UInt8Array
from training.datasets.triples.manifest import read_rows
from training.datasets.triples.renditions import SUNG
from training.datasets.triples.sung_segments import within_the_voice
from training.song_networks.inputs import LYRICS, SCORE, prepared
from training.song_networks.sung_words import (
    Syllable,
    sung_sounds,
    syllable_places,
    syllable_starts,
    syllables_of,
    written_sounds,
)

MOMENTS = 256  # over a window, of melody and speech sounds
MOST_HEADS = 80


class Onset(IntEnum):
    """What begins at a place."""

    NOTHING = 0
    SYLLABLE = 1
    MELISMA = 2  # a note that goes on with the syllable before


@dataclass(frozen=True, slots=True, eq=False)
class Triples:
    """N triples.

    Attributes:
        rows: Their lines of the table.
        score: Strips, (N, rows, columns).
        lyrics: Codes, (N, length).
        audio: Windows of sound by rendition, (N, rows, columns) each.
        melody: Class of the pitch that sounds at each place, 0 where none does, (N, MOMENTS).
        sung_melody: The same as it is sung: in the octave of the singer.
        sounds: Class of the speech sound that is sung there, (N, MOMENTS); 0 without singing.
        places: Of the syllable of each two characters, (N, LENGTH / 2).
        letters: Class of the speech sound that each character stands for, (N, LENGTH).
        heads: Place along the staff, class of the pitch and ``Onset`` of each written notehead,
            zeros behind the last, (N, MOST_HEADS, 3).
        onsets: Place in time and ``Onset`` of each note, zeros behind the last, (N, MOST_HEADS, 2).
        starts: Whether a syllable begins in each two characters, (N, LENGTH / 2).
        same_melody: Equal numbers have the same notes, (N,).
        same_words: Equal numbers have the same words, (N,).
    """

    rows: Sequence[dict[str, Any]]
    score: NDArray[np.uint8]
    lyrics: NDArray[np.uint8]
    audio: dict[str, NDArray[np.uint8]]
    melody: UInt8Array
    sung_melody: UInt8Array
    sounds: UInt8Array
    places: UInt8Array
    letters: UInt8Array
    heads: Float32Array
    onsets: Float32Array
    starts: UInt8Array
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
    words = [_words(folders[0], row) for row in rows]
    sounds = np.zeros((len(rows), MOMENTS), np.uint8)
    letters = np.zeros((len(rows), LENGTH), np.uint8)
    for folder in folders:
        by_id = {row["id"]: row for row in read_rows(folder)}
        lacking = [row["id"] for row in rows if row["id"] not in by_id]
        if lacking:
            raise DataError(f"{folder}: expected the excerpts of {folders[0]}, lacks {lacking[0]}")
        own = [by_id[row["id"]] for row in rows]
        for name in own[0]["files"]:
            if name not in (SCORE, LYRICS):
                audio[name] = face(folder, own, name)
            if name == SUNG:
                sounds = np.stack([_sounds(folder, row) for row in own])
                spelt = zip(words, own, strict=True)
                letters = np.stack(
                    [written_sounds(one.text, one.syllables, row["phones"]) for one, row in spelt]
                )
    return Triples(
        rows=rows,
        score=face(folders[0], rows, SCORE),
        lyrics=face(folders[0], rows, LYRICS),
        audio=audio,
        melody=np.stack([_melody(row) for row in rows]),
        heads=np.stack([_heads(row) for row in rows]),
        onsets=np.stack([_onsets(row) for row in rows]),
        starts=np.stack([syllable_starts(one.syllables) for one in words]),
        places=np.stack(
            [
                syllable_places(one.syllables, row["seconds"])
                for one, row in zip(words, rows, strict=True)
            ]
        ),
        sung_melody=np.stack([_melody(row, sung=True) for row in rows]),
        sounds=sounds,
        letters=letters,
        same_melody=_numbers([row["melody"] for row in rows]),
        same_words=_numbers([row["words"] for row in rows]),
    )


def _melody(row: dict[str, Any], *, sung: bool = False) -> UInt8Array:
    places = np.zeros(MOMENTS, np.uint8)
    scale = MOMENTS / row["seconds"]
    pitches = [pitch for _, _, pitch, _ in row["notes"]]
    if sung:
        pitches = within_the_voice(pitches)
    for (onset, duration, _, _), pitch in zip(row["notes"], pitches, strict=True):
        places[round(onset * scale) : round((onset + duration) * scale)] = pitch_class(pitch)
    return places


def _sounds(folder: Path, row: dict[str, Any]) -> UInt8Array:
    if "phones" not in row:
        raise DataError(
            f"{folder}: expected the phones that are sung, {row['id']} has none; build the sung "
            "rendition again, into an empty folder"
        )
    return sung_sounds(row["phones"], row["seconds"], MOMENTS)


@dataclass(frozen=True, slots=True)
class _Words:
    """Words of a triple: the first part of its text, and the syllables in it."""

    text: str
    syllables: list[Syllable]


def _words(folder: Path, row: dict[str, Any]) -> _Words:
    parts = text_parts((folder / row["files"][LYRICS]).read_text("utf-8"))
    text = parts[0] if parts else ""
    return _Words(text, list(syllables_of(text, row["notes"])))


def _heads(row: dict[str, Any]) -> Float32Array:
    heads = np.zeros((MOST_HEADS, 3), np.float32)
    syllables = [syllable for _, _, _, syllable in row["notes"]]
    known = len(syllables) == len(row["heads"])  # where notes are tied it is not
    for number, (place, pitch) in enumerate(row["heads"][:MOST_HEADS]):
        onset = _onset(syllables[number]) if known else 0
        heads[number] = place, pitch_class(pitch), onset
    return heads


def _onsets(row: dict[str, Any]) -> Float32Array:
    onsets = np.zeros((MOST_HEADS, 2), np.float32)
    for number, (onset, _, _, syllable) in enumerate(row["notes"][:MOST_HEADS]):
        onsets[number] = onset / row["seconds"], _onset(syllable)
    return onsets


def _onset(syllable: str) -> Onset:
    return Onset.SYLLABLE if syllable.strip() else Onset.MELISMA


def _numbers(keys: Sequence[str]) -> Int64Array:
    return np.unique(np.array(keys), return_inverse=True)[1].astype(np.int64)
