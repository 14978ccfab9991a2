"""Where lines of lyrics with their notes come from: lyric-melody songs or a folder of scores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from training.datasets.songs.groups import group_songs
from training.datasets.songs.song import Notehead, Song
from training.datasets.songs.windows import struck
from training.datasets.songs.words import BREATH_QUARTERS
from training.datasets.triples.lyric_lines import (
    LEAST_SYLLABLES,
    MOST_SYLLABLES,
    SungLine,
    from_time_zero,
    is_a_line,
)
from training.datasets.triples.lyric_songs import GRID, LyricSong, read_lyric_songs
from training.datasets.triples.scores import ScoreFolder

_BREATH = int(BREATH_QUARTERS * GRID)
_STOPS = (".", ",", ";", ":", "!", "?")


def lines_of_lyric_songs(folder: Path) -> Iterator[SungLine]:
    """Yield the lines of 6 to 14 syllables.

    A line begins at a capital letter (the pronoun I does not count) or behind a rest of an eighth
    or more.

    Raises:
        DataError: If the files are missing or damaged.
    """
    for song in read_lyric_songs(folder):
        starts = [index for index in range(len(song.pitches)) if _begins_line(song, index)]
        for first, last in zip(starts, [*starts[1:], len(song.pitches)], strict=True):
            if LEAST_SYLLABLES <= last - first <= MOST_SYLLABLES:
                notes = tuple(song.noteheads(first, last))
                yield SungLine(f"{song.id}-note{first + 1:04d}", song.id, song.group, notes)


def lines_of_scores(folder: ScoreFolder) -> Iterator[SungLine]:
    """Yield the lines of 6 to 14 syllables of every score with words.

    A line ends at a rest of an eighth or more, at a stop or at a fermata, where a word ends.

    Raises:
        DataError: If there is no score with words.
    """
    songs = folder.voices(_one_by_one)
    for song, group in zip(songs, group_songs(songs), strict=True):
        for number, notes in enumerate(_phrases(song), start=1):
            if is_a_line(notes):
                name = f"{song.source}-line{number:03d}"
                yield SungLine(name, song.source, group, from_time_zero(notes))


def _begins_line(song: LyricSong, index: int) -> bool:
    syllable = song.syllables[index]
    capital = syllable[:1].isupper() and syllable.split("'")[0] != "I"
    return index == 0 or capital or song.rests[index] >= _BREATH


def _phrases(song: Song) -> Iterator[Sequence[Notehead]]:
    """Yield the notes of each line."""
    phrase: list[Notehead] = []
    last_word = ""
    for note in struck(song.notes):
        breath = bool(phrase) and note.onset - phrase[-1].end >= BREATH_QUARTERS
        stop = bool(note.syllable) and last_word.endswith(_STOPS)
        if phrase and (breath or stop or phrase[-1].ends_phrase):
            yield phrase
            phrase = []
        phrase.append(note)
        last_word = note.syllable or last_word
    if phrase:
        yield phrase


def _one_by_one(
    function: Callable[[str], object], places: Sequence[str], _: str
) -> Iterable[object]:
    return map(function, places)
