"""What one triple is made from: a few bars of a voice with its words and what accompanies it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from training.datasets.songs.groups import plain_words


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """One note as it is heard; ties are joined.

    Attributes:
        onset: Quarter notes from the start of the excerpt, >= 0.
        duration: Quarter notes, > 0.
        pitch: MIDI pitch, 60 is middle C.
        syllable: What is sung from here; empty for a melisma, and in the accompaniment.
        joins_next: The word goes on with the next syllable.
    """

    onset: Fraction
    duration: Fraction
    pitch: int
    syllable: str = ""
    joins_next: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of one song.

    Attributes:
        id: Unique in the data set, plain ASCII.
        first_bar: Counted from 1.
        last_bar: Included.
        quarters: Length in quarter notes.
        musicxml: The voice on one staff, with every accidental written out.
        text: The words, a phrase a line.
        voice: Its notes.
        heads: MIDI pitch of each written notehead, those that are tied to one before included.
        accompaniment: Notes of all other parts; empty where there are none.
    """

    id: str
    first_bar: int
    last_bar: int
    quarters: Fraction
    musicxml: str
    text: str
    voice: tuple[PlayedNote, ...]
    heads: tuple[int, ...] = ()
    accompaniment: tuple[PlayedNote, ...] = ()

    @property
    def syllables(self) -> int:
        """Notes on which a syllable begins."""
        return sum(bool(note.syllable) for note in self.voice)

    @property
    def melody_key(self) -> str:
        """Equal for excerpts whose voices have the same notes, at the same pitch."""
        return _digest([(note.onset, note.duration, note.pitch) for note in self.voice])

    @property
    def words_key(self) -> str:
        """Equal for excerpts with the same words, whatever case and stops."""
        return _digest(plain_words(self.text))


@dataclass(frozen=True, slots=True)
class SongInfo:
    """What is known about a song.

    Attributes:
        id: Plain ASCII, unique; names a folder.
        title: As printed, may be empty.
        composer: As printed, may be empty.
        language: ISO 639-1 code of the words; ``und`` where it is not known.
        group: Versions of one song and settings of one text share it.
        split: ``train``, ``validation`` or ``test``; the same in a group.
    """

    id: str
    title: str
    composer: str
    language: str
    group: str
    split: str


def _digest(values: Sequence[object]) -> str:
    return hashlib.sha256(repr([str(value) for value in values]).encode()).hexdigest()[:16]
