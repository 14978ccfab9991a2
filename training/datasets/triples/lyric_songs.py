"""Reads the lyric-melody songs: syllables, each on one note of a melody.

``songs.jsonl.xz`` has a JSON object a line: ``id``, ``syl`` (syllables), ``p`` (MIDI pitches),
``d`` (lengths), ``r`` (rests before). A length of 1.0 lasts 0.276 s in the recordings (median), an
eighth note at 109 quarter notes a minute, so it is read as an eighth. ``song_clusters.tsv`` has
``id TAB cluster``: songs of a cluster are versions of one song.
"""

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from models.errors import DataError
from training.datasets.songs.song import Notehead

NAME: Final = "musictm"
LICENCE: Final = (
    "research use only; the repository's MIT notice cannot cover the words of the songs, which are "
    "never to be published"
)
CITATION: Final = (
    'Yu, Srivastava, Canales, "Conditional LSTM-GAN for Melody Generation from Lyrics", ACM TOMM '
    '17(1), 2021, arXiv:1908.05551 (the songs); Zeng, Yu, Oyama, "MusicTM-Dataset for Joint '
    'Representation Learning among Sheet Music, Lyrics, and Musical Audio", CSMT 2020 '
    "(arXiv:2012.00290: the kind of triple)"
)
HOW_TO_GET: Final = (
    "lyrics_melody/songs.jsonl.xz and song_clusters.tsv, made from "
    "yy1lab/Lyrics-Conditioned-Neural-Melody-Generation"
)
SONGS: Final = "songs.jsonl.xz"
CLUSTERS: Final = "song_clusters.tsv"
LONGEST_EIGHTHS = 8.0  # of notes and rests; longer ones are cut to a whole bar
GRID: Final = 8  # parts of a quarter note: the shortest length is 0.25, a thirty-second
_FOLDER: Final = "lyrics_melody"


@dataclass(frozen=True, slots=True)
class LyricSong:
    """One song: the arrays have one entry for each syllable.

    Attributes:
        id: Of the file it comes from.
        group: Cluster of versions of one song.
        syllables: As in the data, words are not marked.
        pitches: MIDI.
        lengths: Of each note, in ``GRID`` parts of a quarter note.
        rests: Silence before each note, in the same parts.
    """

    id: str
    group: int
    syllables: tuple[str, ...]
    pitches: tuple[int, ...]
    lengths: tuple[int, ...]
    rests: tuple[int, ...]

    def noteheads(self, first: int, last: int) -> list[Notehead]:
        """Notes ``first`` to ``last`` (not included), from time 0 without the rest before."""
        notes: list[Notehead] = []
        now = 0
        for index in range(first, last):
            now += self.rests[index] if notes else 0
            onset, length = Fraction(now, GRID), Fraction(self.lengths[index], GRID)
            syllable, joins = _syllable(self.syllables[index])
            notes.append(Notehead(onset, length, self.pitches[index], syllable, joins))
            now += self.lengths[index]
        return notes


def find_lyric_songs(root: Path | None) -> Path:
    """Return the folder of the songs: ``root`` itself or ``lyrics_melody`` in it.

    Raises:
        DataError: If the songs are not there.
    """
    folders = [root, root / _FOLDER] if root else []
    for folder in folders:
        if (folder / SONGS).is_file():
            return folder
    raise DataError(f"{root or NAME}: expected {SONGS}, found none; {HOW_TO_GET}")


def read_lyric_songs(folder: Path) -> Iterator[LyricSong]:
    """Yield the songs in the order of the file.

    Raises:
        DataError: If a file is missing or damaged; the message holds no words of a song.
    """
    groups = _read_groups(folder / CLUSTERS)
    path = folder / SONGS
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _song(line, groups, f"{path.name}, line {number}")
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected readable songs: {error}; {HOW_TO_GET}") from error


def _read_groups(path: Path) -> dict[str, int]:
    """Number the clusters in the order of the file."""
    try:
        pairs = [line.split("\t") for line in path.read_text("utf-8").splitlines() if line]
        numbers: dict[str, int] = {}
        return {song: numbers.setdefault(cluster, len(numbers)) for song, cluster in pairs}
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a line `id TAB cluster` for each song: {error}; {HOW_TO_GET}"
        ) from error


def _song(line: str, groups: dict[str, int], where: str) -> LyricSong:
    try:
        found: dict[str, Any] = json.loads(line)
        song = LyricSong(
            id=str(found["id"]),
            group=groups[str(found["id"])],
            syllables=tuple(map(str, found["syl"])),
            pitches=tuple(map(int, found["p"])),
            lengths=tuple(max(_parts(one), 1) for one in found["d"]),
            rests=tuple(map(_parts, found["r"])),
        )
    except KeyError as error:
        raise DataError(f"{where}: expected {error.args[0]!r}, found none") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: expected a song ({type(error).__name__})") from error
    _check(song, where)
    return song


def _check(song: LyricSong, where: str) -> None:
    columns: list[Sequence[object]] = [song.syllables, song.pitches, song.lengths, song.rests]
    if len({len(column) for column in columns}) != 1:
        raise DataError(f"{where}: expected arrays of one length, found {list(map(len, columns))}")
    if not all(0 <= pitch <= 127 for pitch in song.pitches):
        raise DataError(f"{where}: expected MIDI pitches 0..127")


def _parts(eighths: float) -> int:
    """Convert a length of the data, cut to a bar, to parts of a quarter note."""
    return round(min(max(eighths, 0.0), LONGEST_EIGHTHS) * GRID / 2)


def _syllable(text: str) -> tuple[str, bool]:
    """Take hyphens off; one at the end says that the word goes on."""
    return text.strip("- "), text.rstrip().endswith("-")
