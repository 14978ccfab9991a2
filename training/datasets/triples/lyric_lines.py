"""Lines of lyrics with the notes that carry them: the lyrics-melody task, as a feature file."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from models.errors import DataError
from models.features.lyrics import CharacterNgrams
from models.types import Lyrics
from training.datasets.feature_data import RawView
from training.datasets.feature_file import FeatureHeader, write_views
from training.datasets.seeded import rank_ids
from training.datasets.songs.groups import plain_words, split_groups
from training.datasets.songs.song import Notehead
from training.datasets.songs.words import lyric_text, syllable_count
from training.datasets.split import assign_splits
from training.datasets.triples import melody_row

LEAST_SYLLABLES, MOST_SYLLABLES = 6, 14
VIEWS: Final = ("lyrics", "melody")
_TEST_SHARE, _VALIDATION_SHARE = 0.2, 0.1


@dataclass(frozen=True, slots=True)
class SungLine:
    """One line of a song.

    Attributes:
        id: Unique.
        song: Of the song.
        group: Versions of a song share it.
        notes: That carry the line, melismas included, from time 0.
    """

    id: str
    song: str
    group: int
    notes: tuple[Notehead, ...]

    @property
    def text(self) -> str:
        """Its words on one line."""
        return " ".join(lyric_text(self.notes).split())


def from_time_zero(notes: Sequence[Notehead]) -> tuple[Notehead, ...]:
    """Move notes so that the first begins at 0."""
    start = notes[0].onset if notes else Fraction(0)
    return tuple(
        Notehead(n.onset - start, n.duration, n.pitch, n.syllable, n.joins_next) for n in notes
    )


def choose_lines(lines: Iterable[SungLine], *, count: int, seed: int) -> list[SungLine]:
    """Take lines by lot, none with the words or the melody (in any key) of another.

    Args:
        lines: All lines.
        count: At most so many.
        seed: Another seed takes others.

    Raises:
        DataError: If there is none.
    """
    by_id = {line.id: line for line in lines}
    chosen: list[SungLine] = []
    seen: set[tuple[object, ...]] = set()
    for one in rank_ids(by_id, seed=seed, purpose="lines"):
        line = by_id[one]
        traits = {("words", *plain_words(line.text)), ("melody", *_melody(line.notes))}
        if not traits & seen:
            chosen.append(line)
            seen |= traits
        if len(chosen) == count:
            break
    if not chosen:
        raise DataError(
            f"lines: expected some of {LEAST_SYLLABLES} to {MOST_SYLLABLES} syllables, found none"
        )
    return sorted(chosen, key=lambda line: line.id)


def split_lines(lines: Sequence[SungLine], *, seed: int, at_random: bool) -> list[str]:
    """Return the split of each line: by groups of songs, or at random (**which leaks**)."""
    if at_random:
        strata = dict.fromkeys((line.id for line in lines), "all")
        splits = assign_splits(strata, seed=seed, validation=_VALIDATION_SHARE, test=_TEST_SHARE)
        return [splits[line.id] for line in lines]
    songs = list(dict.fromkeys((line.song, line.group) for line in lines))
    sizes = dict.fromkeys(songs, 0)
    for line in lines:
        sizes[line.song, line.group] += 1
    sides = split_groups([group for _, group in songs], list(sizes.values()), seed)
    side_of = dict(zip(songs, sides, strict=True))
    return [side_of[line.song, line.group] for line in lines]


def write_line_features(
    path: Path, lines: Sequence[SungLine], splits: Sequence[str], *, source: str, licence: str
) -> None:
    """Write one row a line in each view: ``character-ngrams`` and ``melody-statistics``.

    Args:
        path: Feature file.
        lines: Lines.
        splits: Of each line.
        source: Stated in the file.
        licence: Stated in the file.
    """
    ngrams = CharacterNgrams()
    features = (
        np.stack([ngrams.pooled(Lyrics(line.text)) for line in lines]),
        np.stack([melody_row.melody_row(line.notes) for line in lines]),
    )
    ids = np.array([line.id for line in lines], dtype=np.str_)
    split = np.array(splits, dtype=np.str_)
    identity = f"{melody_row.NAME} {melody_row.VERSION}"
    header = FeatureHeader(
        source=source,
        licence=licence,
        extractors={
            "lyrics": (ngrams.spec.name, ngrams.spec.fingerprint),
            "melody": (melody_row.NAME, hashlib.sha256(identity.encode()).hexdigest()[:16]),
        },
        extractor_parameters={
            "lyrics": ngrams.spec.parameters,
            "melody": {"version": melody_row.VERSION},
        },
    )
    views = {
        name: RawView(rows, ids, None, split) for name, rows in zip(VIEWS, features, strict=True)
    }
    write_views(path, views, header)


def is_a_line(notes: Sequence[Notehead]) -> bool:
    """Tell whether notes carry 6 to 14 syllables."""
    return LEAST_SYLLABLES <= syllable_count(notes) <= MOST_SYLLABLES


def _melody(notes: Sequence[Notehead]) -> Iterator[tuple[object, ...]]:
    for before, after in pairwise(notes):
        yield after.pitch - before.pitch, after.onset - before.onset, before.duration
