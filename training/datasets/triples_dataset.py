"""Triples of sheet image, lyrics and sound as data sets; see training/datasets/triples.

A folder that ``kyomei build-triples`` wrote holds several renditions of the sound; each makes a
data set of its own, so ``lieder``, ``lieder-accompanied`` and ``lieder-sung`` share their pictures
and words. The three files of an excerpt are a true trio and carry no class.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.datasets.triples import lieder
from training.datasets.triples.manifest import read_rows
from training.datasets.triples.renditions import RENDITIONS, VOICE

NAME: Final = lieder.NAME
LICENCE: Final = lieder.LICENCE
CITATION: Final = lieder.CITATION
HOW_TO_GET: Final = (
    "`kyomei build-triples lieder --out FOLDER` (from openscore_lieder.tar.xz), then name FOLDER "
    "with --root"
)


def dataset_name(base: str, rendition: str) -> str:
    """Key in ``DATASETS``: the plain name is that of the melody by one instrument."""
    return base if rendition == VOICE else f"{base}-{rendition}"


def open_triples(root: Path | None, *, rendition: str, base: str = NAME) -> ListedDataset:
    """List the triples of a folder with one rendition of the sound.

    Args:
        root: Folder that ``kyomei build-triples`` wrote.
        rendition: Of ``RENDITIONS``.
        base: ``lieder``, or the name of another source.

    Raises:
        DataError: If there is no such folder, its table is damaged, or it lacks the rendition.
    """
    if rendition not in RENDITIONS:
        raise DataError(f"expected a rendition of {', '.join(RENDITIONS)}, got {rendition!r}")
    name = dataset_name(base, rendition)
    if root is None:
        raise DataError(f"{name}: expected a folder of triples, found none; {HOW_TO_GET}")
    return ListedDataset(
        name=name,
        licence=LICENCE,
        citation=CITATION,
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
    for row in read_rows(root):
        try:
            files, identifier, split = row["files"], str(row["id"]), str(row["split"])
            for modality, face in faces.items():
                yield Example(identifier, modality, None, split, path=root / files[face])
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{root}: expected triples with id, split and the files score, lyrics and "
                f"{rendition}, found {row!r:.200} ({error!r})"
            ) from error
