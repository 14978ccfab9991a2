"""Which songs are the same song, and which side of the split each of them goes to.

Bach set one chorale tune up to ten times, and many masses share one text. Such songs go together,
or a test query would find its melody or its words in the training data.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from training.datasets.songs.song import Notehead, Song
from training.datasets.songs.words import lyric_text

TUNE_BEATS = 12
TEXT_WORDS = 5
MIN_DISTINCT_INTERVALS = 4
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
LARGEST_HELD_OUT_GROUP = 12  # songs


def group_songs(songs: Sequence[Song]) -> tuple[int, ...]:
    """Number the groups of songs that share a tune or a text, directly or through others.

    Two songs share a tune when 12 successive beat-to-beat intervals agree (in any key, whatever
    passing notes are between the beats), and a text when 5 successive words agree.

    Returns:
        A group number for each song; the number is the index of the first song in the group.
    """
    root = list(range(len(songs)))

    def find(index: int) -> int:
        while root[index] != index:
            index = root[index]
        return index

    first_with: dict[tuple[object, ...], int] = {}
    for index, song in enumerate(songs):
        for trait in sorted(_tune_traits(song.notes) | _text_traits(song.notes), key=repr):
            ours, theirs = find(index), find(first_with.setdefault(trait, index))
            root[max(ours, theirs)] = min(ours, theirs)
    return tuple(find(index) for index in range(len(songs)))


def split_groups(groups: Sequence[int], sizes: Sequence[int], seed: int) -> tuple[str, ...]:
    """Send every song to train, validation or test, whole groups at a time.

    Args:
        groups: Group number of each song.
        sizes: Windows of each song.
        seed: Orders the groups.

    Returns:
        ``train``, ``validation`` or ``test`` for each song. Very large groups stay in train.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for song, group in enumerate(groups):
        members[group].append(song)
    order = sorted(members)
    np.random.default_rng(seed).shuffle(order)
    room = {
        "test": TEST_SHARE * sum(sizes),
        "validation": VALIDATION_SHARE * sum(sizes),
    }
    split = ["train"] * len(groups)
    for group in order:
        windows = sum(sizes[song] for song in members[group])
        side = next((name for name in room if 0 < windows <= room[name]), None)
        if side is None or len(members[group]) > LARGEST_HELD_OUT_GROUP:
            continue
        room[side] -= windows
        for song in members[group]:
            split[song] = side
    return tuple(split)


def plain_words(text: str) -> list[str]:
    """Lower-case words without accents, digits and punctuation."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(letter for letter in letters if letter.isalpha() or letter.isspace())
    return kept.split()


def _tune_traits(notes: Sequence[Notehead]) -> set[tuple[object, ...]]:
    """Runs of intervals between the pitches that sound on successive beats."""
    pitches = list(_pitch_on_beats(notes))
    intervals = [after - before for before, after in pairwise(pitches)]
    return {
        ("tune", *run)
        for run in _runs(intervals, TUNE_BEATS)
        if len(set(run) - {0}) >= MIN_DISTINCT_INTERVALS
    }


def _text_traits(notes: Sequence[Notehead]) -> set[tuple[object, ...]]:
    """Runs of words; a run that mostly repeats one word (Alleluia) does not count."""
    return {
        ("text", *run)
        for run in _runs(plain_words(lyric_text(notes)), TEXT_WORDS)
        if len(set(run)) >= TEXT_WORDS - 1
    }


def _runs(values: Sequence[object], length: int) -> Iterable[tuple[object, ...]]:
    return (tuple(values[i : i + length]) for i in range(len(values) - length + 1))


def _pitch_on_beats(notes: Sequence[Notehead]) -> Iterable[int]:
    """Yield the pitch that sounds on each quarter, leaving rests out."""
    if not notes:
        return
    beat = notes[0].onset
    for note in notes:
        beat = max(beat, Fraction(-(-note.onset // 1)))
        while note.onset <= beat < note.end:
            yield note.pitch
            beat += 1
