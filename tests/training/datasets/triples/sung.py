"""Melodies and words of our own for the tests of singing."""

from training.datasets.triples.sung_segments import SungNote

PITCHES = (57, 59, 60, 64, 62, 60, 59, 57)
SECONDS = (0.5, 0.5, 0.75, 0.25, 0.5, 0.5, 0.5, 1.0)


def melody(syllables, *, pitches=PITCHES, seconds=SECONDS, start=0.0, rest_after=None):
    """Notes one after another; a syllable that ends with ``-`` goes on in the next one."""
    notes = []
    for index, (syllable, pitch, length) in enumerate(
        zip(syllables, pitches, seconds, strict=False)
    ):
        notes.append(SungNote(start, length, pitch, syllable.rstrip("-"), syllable.endswith("-")))
        start += length + (0.5 if index == rest_after else 0.0)
    return notes
