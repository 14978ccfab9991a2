"""Decides which windows are built, where each goes and under which name."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath

from models.errors import DataError
from models.types import Modality
from training.datasets.songs.groups import group_songs, split_groups
from training.datasets.songs.song import Song
from training.datasets.songs.windows import Window, cut, distinct
from training.datasets.split import SPLITS

SUFFIX = {Modality.SCORE: ".musicxml", Modality.LYRICS: ".txt", Modality.AUDIO: ".flac"}


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """One window to write.

    Attributes:
        stem: File stem, the same in the three modalities and unique.
        split: ``train``, ``validation`` or ``test``.
        group: Number shared by the songs that share a tune or a text.
        song: The song without its bars.
        window: The bars.
    """

    stem: str
    split: str
    group: int
    song: Song
    window: Window

    def path(self, modality: Modality) -> PurePosixPath:
        """Place of a file in the output folder."""
        name = self.stem + SUFFIX[modality]
        return PurePosixPath(self.split, modality.value, self.song.collection, name)


def plan_windows(songs: Sequence[Song], *, seed: int) -> list[PlannedWindow]:
    """Cut all songs, drop repeated windows and split by groups of related songs.

    Args:
        songs: In the order of the corpus.
        seed: Chooses the split.
    """
    kept = distinct([cut(song) for song in songs])
    groups = group_songs(songs)
    splits = split_groups(groups, [len(windows) for windows in kept], seed)
    taken: set[str] = set()
    return [
        PlannedWindow(_stem(song, window, taken), split, group, _without_bars(song), window)
        for song, windows, group, split in zip(songs, kept, groups, splits, strict=True)
        for window in windows
    ]


def choose_windows(
    planned: Sequence[PlannedWindow], *, split: str | None, limit: int | None
) -> list[PlannedWindow]:
    """Keep one split, or at most ``limit`` windows of it, from as many songs as possible.

    Args:
        planned: All windows.
        split: ``train``, ``validation``, ``test`` or None for all.
        limit: Largest number, or None for all.

    Raises:
        DataError: If the split or the limit is impossible.
    """
    if split is not None and split not in SPLITS:
        raise DataError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
    if limit is not None and limit < 1:
        raise DataError(f"limit: expected at least 1 window, got {limit}")
    chosen = [one for one in planned if split is None or one.split == split]
    if limit is None or limit >= len(chosen):
        return chosen
    turn: dict[str, int] = {}
    ranked = []
    for place, one in enumerate(chosen):
        turn[one.song.source] = turn.get(one.song.source, -1) + 1
        ranked.append((turn[one.song.source], place))
    places = sorted(place for _, place in sorted(ranked)[:limit])
    return [chosen[place] for place in places]


def _stem(song: Song, window: Window, taken: set[str]) -> str:
    """Name a window by file and first bar, in plain ASCII, unlike any name that is taken."""
    return new_name(f"{plain_stem(song.source)}-bar{window.first_bar:03d}", taken)


def plain_stem(path: str) -> str:
    """Stem of a file name in lower-case ASCII letters, digits and hyphens; may be empty."""
    stem = unicodedata.normalize("NFKD", PurePosixPath(path).stem)
    return re.sub(r"[^a-z0-9]+", "-", stem.encode("ascii", "ignore").decode().lower()).strip("-")


def new_name(stem: str, taken: set[str]) -> str:
    """Return the stem, numbered if it is taken, and take it."""
    name = next(name for n in count(1) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
    taken.add(name)
    return name


def _without_bars(song: Song) -> Song:
    return Song(song.source, song.collection, song.title, song.composer, song.licence, ())
