"""Triples of sheet image, lyrics and sound as data sets; see training/datasets/triples.

A folder that ``kyomei build-triples`` wrote holds several renditions of the sound; each makes a
data set of its own, so ``lieder``, ``lieder-accompanied`` and ``lieder-sung`` share their pictures
and words. The three files of an excerpt are a true trio and carry no class. Of test excerpts with
the same notes or the same words only one is listed: nobody could tell which of them is meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.datasets.split import TEST
from training.datasets.triples import lieder, lyric_songs
from training.datasets.triples.manifest import read_rows
from training.datasets.triples.pool import distinct_rows
from training.datasets.triples.renditions import RENDITIONS, SUNG, VOICE


@dataclass(frozen=True, slots=True)
class TripleSet:
    """A source whose triples are a data set.

    Attributes:
        name: Of the data set with the melody by one instrument.
        licence: What may be done with it.
        citation: Whom to cite.
        how_to_get: Where it comes from.
        renditions: That its songs allow.
    """

    name: str
    licence: str
    citation: str
    how_to_get: str
    renditions: tuple[str, ...] = RENDITIONS


LIEDER: Final = TripleSet(
    lieder.NAME,
    lieder.LICENCE,
    lieder.CITATION,
    "`kyomei build-triples lieder --out FOLDER` (from openscore_lieder.tar.xz), then name FOLDER "
    "with --root",
)
MUSICTM: Final = TripleSet(
    lyric_songs.NAME,
    lyric_songs.LICENCE,
    lyric_songs.CITATION,
    f"`kyomei build-triples lyrics-melody --out FOLDER` (from {lyric_songs.HOW_TO_GET}), then name "
    "FOLDER with --root",
    renditions=(VOICE, SUNG),  # the songs have no other part
)
TRIPLE_SETS: Final = (LIEDER, MUSICTM)


def dataset_name(base: str, rendition: str) -> str:
    """Key in ``DATASETS``: the plain name is that of the melody by one instrument."""
    return base if rendition == VOICE else f"{base}-{rendition}"


def open_triples(root: Path | None, *, rendition: str, of: TripleSet = LIEDER) -> ListedDataset:
    """List the triples of a folder with one rendition of the sound.

    Args:
        root: Folder that ``kyomei build-triples`` wrote.
        rendition: Of ``RENDITIONS``.
        of: Whose triples they are.

    Raises:
        DataError: If there is no such folder, its table is damaged, or it lacks the rendition.
    """
    if rendition not in RENDITIONS:
        raise DataError(f"expected a rendition of {', '.join(RENDITIONS)}, got {rendition!r}")
    name = dataset_name(of.name, rendition)
    if root is None:
        raise DataError(f"{name}: expected a folder of triples, found none; {of.how_to_get}")
    return ListedDataset(
        name=name,
        licence=of.licence,
        citation=of.citation,
        classes=(),
        paired=True,
        listed=tuple(sorted(_examples(root, rendition), key=lambda one: (one.modality, one.id))),
    )


def _examples(root: Path, rendition: str) -> Iterator[Example]:
    faces = {
        Modality.SCORE: Modality.SCORE.value,
        Modality.LYRICS: Modality.LYRICS.value,
        Modality.AUDIO: rendition,
    }
    rows = list(read_rows(root))
    try:
        distinct = {row["id"] for row in distinct_rows(rows, TEST, seed=0)}
        for row in rows:
            identifier, split, files = str(row["id"]), str(row["split"]), row["files"]
            if split == TEST and identifier not in distinct:
                continue
            for modality, face in faces.items():
                yield Example(identifier, modality, None, split, path=root / files[face])
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{root}: expected triples with id, split, melody, words and the files score, lyrics "
            f"and {rendition}, found one without {error}"
        ) from error
