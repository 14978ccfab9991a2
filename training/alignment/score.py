"""The notes of all parts of a MusicXML score, and where its bars begin."""

from pathlib import Path

from models.errors import DataError
from training.alignment.bars import ScoreNote
from training.datasets.songs.windows import struck
from training.datasets.triples.scores import ScoreFolder


def read_notes(path: Path) -> tuple[list[ScoreNote], list[float]]:
    """Read a score with a sung voice; repeats stay as written.

    Returns:
        Notes of all parts, and the starts of the bars with the end of the last, in quarter notes.

    Raises:
        DataError: If it cannot be read or nothing is sung.
    """
    if not path.is_file():
        raise DataError(f"expected a MusicXML score, {path} is no file")
    song, accompaniment = ScoreFolder(path.parent).read(path.name)
    if song is None:
        raise DataError(f"{path}: expected a score with lyrics, found none")
    notes = [ScoreNote(float(n.onset), float(n.duration), n.pitch) for n in struck(song.notes)]
    for bar, others in zip(song.bars, accompaniment, strict=False):
        notes += [
            ScoreNote(float(bar.start + note.onset), float(note.duration), note.pitch)
            for note in others
        ]
    last = song.bars[-1]
    return notes, [float(bar.start) for bar in song.bars] + [float(last.start + last.length)]
