"""Fragments of twenty notes of the lyric-melody songs as a source of triples."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from models.errors import DataError
from training.datasets.songs.groups import split_groups
from training.datasets.songs.song import Notehead
from training.datasets.songs.words import lyric_text
from training.datasets.split import assign_splits
from training.datasets.triples.excerpt import Excerpt, PlayedNote, SongInfo
from training.datasets.triples.lyric_songs import (
    CITATION,
    GRID,
    LICENCE,
    NAME,
    LyricSong,
    read_lyric_songs,
)
from training.datasets.triples.notation import BAR_QUARTERS, n_bars, notes_to_musicxml
from training.datasets.triples.source import Listed, Map

NOTES: Final = 20
LANGUAGE: Final = "en"  # 98 % of the songs by their commonest words
MAX_BARS = 8
MIN_PITCHES = 4
LOWEST, HIGHEST = 36, 96
SPLITS_BY: Final = ("cluster", "random")
_TEST_SHARE, _VALIDATION_SHARE = 0.2, 0.1


@dataclass(frozen=True, slots=True)
class FragmentSource:
    """The songs behind MusicTM, cut into fragments of equal numbers of notes.

    A fragment has at least four different pitches, at most eight bars, and a melody (in any key)
    that no earlier fragment has.

    Attributes:
        folder: Holds ``songs.jsonl.xz`` and ``song_clusters.tsv``.
        per_song: At most so many fragments of a song.
        notes: Of a fragment.
        split_by: ``cluster`` keeps versions of one song on one side. ``random`` splits the same
            fragments without regard to songs, as published; **it leaks**.
    """

    folder: Path
    per_song: int = 2
    notes: int = NOTES
    split_by: str = "cluster"

    def __post_init__(self) -> None:
        """Refuse an unknown split.

        Raises:
            DataError: Naming it.
        """
        if self.split_by not in SPLITS_BY:
            raise DataError(f"split_by: expected one of {SPLITS_BY}, found {self.split_by!r}")

    @property
    def name(self) -> str:
        """Of the data set."""
        return NAME

    @property
    def licence(self) -> str:
        """What may be done with the songs."""
        return LICENCE

    @property
    def citation(self) -> str:
        """Whom to cite."""
        return CITATION

    @property
    def settings(self) -> dict[str, object]:
        """Every choice that changes the fragments."""
        split = self.split_by if self.split_by == "cluster" else "random (leaks)"
        return {"notes": self.notes, "per_song": self.per_song, "split": split}

    def songs(self, seed: int, in_parallel: Map) -> Sequence[Listed]:  # noqa: ARG002, one file
        """List the songs that have a fragment; with a random split, each fragment by itself.

        Raises:
            DataError: If the files are missing or damaged.
        """
        cut = list(self._cut())
        if self.split_by == "random":
            return _random_split(cut, seed, self.notes)
        groups = [song.group for song, _ in cut]
        splits = split_groups(groups, [len(starts) for _, starts in cut], seed)
        return [
            Listed(_info(song, song.id, split), _place(song, starts, self.notes))
            for (song, starts), split in zip(cut, splits, strict=True)
        ]

    def excerpts(self, song: Listed) -> Iterable[Excerpt]:
        """Write the fragments of one listed song as scores."""
        for fragment in json.loads(song.place):
            yield _excerpt(fragment)

    def _cut(self) -> Iterator[tuple[LyricSong, list[int]]]:
        """Yield songs with the first notes of their fragments."""
        seen: set[tuple[object, ...]] = set()
        for song in read_lyric_songs(self.folder):
            starts: list[int] = []
            for first in range(0, len(song.pitches) - self.notes + 1, self.notes):
                if len(starts) == self.per_song:
                    break
                melody = _melody(song, first, first + self.notes)
                if _fits(song, first, first + self.notes) and melody not in seen:
                    seen.add(melody)
                    starts.append(first)
            if starts:
                yield song, starts


def _fits(song: LyricSong, first: int, last: int) -> bool:
    pitches = set(song.pitches[first:last])
    in_range = min(pitches) >= LOWEST and max(pitches) <= HIGHEST
    parts = sum(song.lengths[first:last]) + sum(song.rests[first + 1 : last])
    short = parts <= MAX_BARS * BAR_QUARTERS * GRID
    return len(pitches) >= MIN_PITCHES and in_range and short


def _melody(song: LyricSong, first: int, last: int) -> tuple[object, ...]:
    """Intervals, lengths and rests: equal for the same melody in another key."""
    intervals = (after - before for before, after in pairwise(song.pitches[first:last]))
    return (*intervals, song.lengths[first:last], song.rests[first + 1 : last])


def _random_split(
    cut: Sequence[tuple[LyricSong, list[int]]], seed: int, n_notes: int
) -> list[Listed]:
    """List each fragment as a song of its own, split without regard to songs."""
    each = {f"{song.id}-{first:04d}": (song, first) for song, starts in cut for first in starts}
    strata = dict.fromkeys(each, "all")
    splits = assign_splits(strata, seed=seed, validation=_VALIDATION_SHARE, test=_TEST_SHARE)
    return [
        Listed(_info(song, name, splits[name]), _place(song, [first], n_notes))
        for name, (song, first) in each.items()
    ]


def _info(song: LyricSong, name: str, split: str) -> SongInfo:
    return SongInfo(name, "", "", LANGUAGE, str(song.group), split)


def _place(song: LyricSong, starts: Sequence[int], n_notes: int) -> str:
    """Write the notes of fragments down, so that a worker need not read all songs again."""
    fragments = [
        {
            "id": f"{song.id}-note{first + 1:04d}",
            "notes": [
                [str(note.onset), str(note.duration), note.pitch, note.syllable, note.joins_next]
                for note in song.noteheads(first, first + n_notes)
            ],
        }
        for first in starts
    ]
    return json.dumps(fragments, ensure_ascii=False)


def _excerpt(fragment: dict[str, Any]) -> Excerpt:
    notes = [
        Notehead(Fraction(onset), Fraction(length), pitch, syllable, joins)
        for onset, length, pitch, syllable, joins in fragment["notes"]
    ]
    bars = n_bars(notes)
    return Excerpt(
        id=fragment["id"],
        first_bar=1,
        last_bar=bars,
        quarters=Fraction(bars * BAR_QUARTERS),
        musicxml=notes_to_musicxml(notes),
        text=lyric_text(notes),
        voice=tuple(
            PlayedNote(note.onset, note.duration, note.pitch, note.syllable, note.joins_next)
            for note in notes
        ),
    )
