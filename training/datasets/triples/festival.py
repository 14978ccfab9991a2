"""Sings words: Festival's diphone voice on given notes, so that the sound carries the lyrics.

Festival's own singing mode reads a file a song, takes whole words only and ends where its
syllables and the given ones differ in number. Here the same synthesiser gets what that mode would
compute (phones, their lengths, the pitch; see ``sung_segments``) from one process that stays open.

The voice is American English. German and French words are sung with its phones, chosen by small
tables of spelling (``letter_sounds``): with a strong accent, but different words sound different.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import numpy as np

from models.errors import DataError
from models.types import Float32Array
from training.datasets.triples.festival_process import FestivalError, FestivalProcess
from training.datasets.triples.letter_sounds import SPELLINGS, letter_sounds
from training.datasets.triples.sung_segments import (
    PADDING_SECONDS,
    Segment,
    SungNote,
    singable,
    sung_segments,
)
from training.datasets.triples.sung_words import plain_letters, words_of

__all__ = ["LANGUAGES", "SAMPLE_RATE_HZ", "FestivalSinger", "SungNote"]

SAMPLE_RATE_HZ: Final = 16_000
PEAK: Final = 0.7
LANGUAGES: Final = ("en", *SPELLINGS)
_ATTEMPTS = 2


class FestivalSinger:
    """One Festival process that sings one request after another; a context manager.

    A process that dies or hangs is replaced by a new one.

    Args:
        timeout_seconds: How long one request may take before the process is ended.

    Raises:
        DataError: If Festival or its voice is not installed.
    """

    def __init__(self, *, timeout_seconds: float = 30.0) -> None:
        self._timeout = timeout_seconds
        self._words: dict[str, tuple[tuple[str, ...], ...]] = {"": ()}
        self._process = FestivalProcess(timeout_seconds=timeout_seconds)

    def __enter__(self) -> Self:
        """Return the singer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    @property
    def process_id(self) -> int:
        """Of the Festival that sings now."""
        return self._process.pid

    def close(self) -> None:
        """End the process; may be called again."""
        self._process.close()

    def sing(self, notes: Sequence[SungNote], *, language: str = "en") -> Float32Array:
        """Sing one voice.

        Args:
            notes: In time order, at least one. A melody that leaves the voice (C2 to B4) is moved
                by octaves.
            language: ``en`` (dictionary and rules of the voice), ``de`` or ``fr``.

        Returns:
            Samples at ``SAMPLE_RATE_HZ`` from time 0 to the end of the last note, shape (T,), peak
            ``PEAK``. The same notes give the same bits.

        Raises:
            DataError: If there is no note, the language is another one, or Festival fails twice.
        """
        if not notes:
            raise DataError("notes: expected at least one to sing, found none")
        for attempt in range(_ATTEMPTS):
            try:
                pcm = self._sing(notes, language)
            except FestivalError as error:
                self._restart()
                if attempt + 1 == _ATTEMPTS:
                    raise DataError(
                        f"festival: expected {len(notes)} sung notes: {error}"
                    ) from error
            else:
                return _trimmed(pcm, max(note.end_seconds for note in notes))
        raise AssertionError("unreachable")

    def phones(self, notes: Sequence[SungNote], *, language: str = "en") -> list[tuple[str, ...]]:
        """Return the phones of each note's syllable, empty where it has none.

        Raises:
            DataError: If the language is not one of ``LANGUAGES``.
        """
        if language not in LANGUAGES:
            raise DataError(f"language: expected one of {LANGUAGES}, found {language!r}")
        phones: list[tuple[str, ...]] = [()] * len(notes)
        for word in words_of(notes):
            syllables = [notes[index].syllable for index in word]
            if language == "en":
                found = self._english(syllables)
            else:
                found = letter_sounds(syllables, SPELLINGS[language])
            for index, own in zip(word, found, strict=True):
                phones[index] = singable(own)
        return phones

    def _english(self, syllables: Sequence[str]) -> list[tuple[str, ...]]:
        """Take the dictionary's syllables where their number fits, else say each one alone."""
        parts = [plain_letters(syllable) for syllable in syllables]
        whole = self._look_up("".join(parts))
        if len(whole) == len(parts):
            return list(whole)
        return [tuple(phone for one in self._look_up(part) for phone in one) for part in parts]

    def _look_up(self, word: str) -> tuple[tuple[str, ...], ...]:
        if word not in self._words:
            found = self._process.look_up(word)
            # Its rules know no apostrophe: only words of the dictionary may have one.
            self._words[word] = found or self._process.look_up(word.replace("'", ""))
        return self._words[word]

    def segments(self, notes: Sequence[SungNote], *, language: str = "en") -> tuple[Segment, ...]:
        """Return what ``sing`` sings: phones in time, from ``PADDING_SECONDS`` before time 0.

        Raises:
            DataError: If the language is not one of ``LANGUAGES``.
        """
        return sung_segments(notes, self.phones(notes, language=language))

    def _sing(self, notes: Sequence[SungNote], language: str) -> bytes:
        segments = self.segments(notes, language=language)
        return self._process.synthesise(" ".join(map(_written, segments)))

    def _restart(self) -> None:
        self._process.close()
        self._process = FestivalProcess(timeout_seconds=self._timeout)


def _written(segment: Segment) -> str:
    """Write one phone as an item of Festival's ``Segments`` utterance."""
    targets = " ".join(f"({seconds:.5f} {hertz:.3f})" for seconds, hertz in segment.targets)
    return f"({segment.phone} {segment.seconds:.5f} {targets})"


def _trimmed(pcm: bytes, seconds: float) -> Float32Array:
    """Cut the padding and bring the peak to ``PEAK``, shape (T,)."""
    length = round(seconds * SAMPLE_RATE_HZ)
    first = round(PADDING_SECONDS * SAMPLE_RATE_HZ)
    samples = np.zeros(length, dtype=np.float32)
    sung = np.frombuffer(pcm, dtype=np.int16)[first : first + length]
    samples[: len(sung)] = sung
    return samples * np.float32(PEAK / max(float(np.abs(samples).max(initial=0.0)), 1.0))
