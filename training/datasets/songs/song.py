"""A song as the data set sees it: one sung voice, bar by bar, with one verse of its words."""

from dataclasses import dataclass
from fractions import Fraction

DIVISIONS = 10080  # of a quarter note: holds every tuplet of the corpus in whole numbers


@dataclass(frozen=True, slots=True)
class Notehead:
    """One written note of the voice; a tied continuation is a notehead of its own.

    Attributes:
        onset: Quarter notes from the start of the song.
        duration: Quarter notes, > 0.
        pitch: Sounding MIDI pitch, 60 is middle C.
        syllable: Words sung from here, empty for a melisma or a tied note.
        joins_next: The word goes on in the next syllable.
        continues: Tied to the notehead before it, so it is not struck again.
        ends_phrase: Carries a fermata.
    """

    onset: Fraction
    duration: Fraction
    pitch: int
    syllable: str = ""
    joins_next: bool = False
    continues: bool = False
    ends_phrase: bool = False

    @property
    def end(self) -> Fraction:
        """Quarter notes from the start of the song to the end of the note."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands at the head of a staff, as MusicXML elements in their required order."""

    key: str = "<key><fifths>0</fifths></key>"
    time: str = ""
    clef: str = "<clef><sign>G</sign><line>2</line></clef>"


@dataclass(frozen=True, slots=True)
class Bar:
    """One measure of the voice.

    Attributes:
        start: Quarter notes from the start of the song.
        length: Quarter notes.
        signature: Key, metre and clef in force at its beginning.
        xml: Its notes and rests as MusicXML with ``DIVISIONS`` per quarter note, words included.
        notes: The same notes as values, without rests.
    """

    start: Fraction
    length: Fraction
    signature: Signature
    xml: str
    notes: tuple[Notehead, ...]


@dataclass(frozen=True, slots=True)
class Song:
    """One song, reduced to the voice and the verse with the most syllables.

    Attributes:
        source: File name inside the corpus.
        collection: First folder of ``source``; the class of the song.
        title: Title of the file, or its first words where the file has none.
        composer: As the file says it, may be empty.
        licence: See ``training.datasets.songs.corpus.licence``.
        bars: In reading order; repeats are not unrolled.
    """

    source: str
    collection: str
    title: str
    composer: str
    licence: str
    bars: tuple[Bar, ...]

    @property
    def notes(self) -> tuple[Notehead, ...]:
        """All noteheads of the voice."""
        return tuple(note for bar in self.bars for note in bar.notes)


def has_words(note: Notehead) -> bool:
    """Tell whether a syllable with at least one letter is sung on the note."""
    return any(character.isalpha() for character in note.syllable)
