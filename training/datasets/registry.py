"""All data sets by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.errors import DataError
from training.datasets import (
    av_animals,
    ave,
    esc10,
    feature_file,
    folder,
    fsdd_mnist,
    picture_classes,
    scenes_dataset,
    songs_dataset,
    triples_dataset,
    vegas,
)
from training.datasets.example import Dataset
from training.datasets.triples_dataset import TripleSet


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """How to open a data set; each takes what concerns it.

    Attributes:
        seed: Chooses the split where the data set has none of its own.
        cache: Folder for unpacked packs; ``data_local`` in the current folder by default.
        test_fold: Which of published folds is tested, where a data set has them.
    """

    seed: int = 0
    cache: Path | None = None
    test_fold: int = 4


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """What is known about a data set before it is opened.

    Attributes:
        licence: What may be done with it.
        citation: Whom to cite.
        how_to_get: Where it comes from.
        open: Lists its media; None for data sets that hold features.
    """

    licence: str
    citation: str
    how_to_get: str
    open: Callable[[Path | None, OpenOptions], Dataset] | None


_FEATURES_AS_THEY_ARE: Final = "a feature file goes to `kyomei train --data` as it is"


def open_dataset(
    name_or_folder: str,
    root: Path | None = None,
    *,
    seed: int = 0,
    cache: Path | None = None,
    test_fold: int = 4,
) -> Dataset:
    """Open a data set of media by name, or a folder of one's own media by path.

    Args:
        name_or_folder: Key of ``DATASETS``, or a folder laid out as in ``folder.py``.
        root: Where the data set lies: the folder of packs, of scenes or of one's own media.
        seed: Chooses the split where the data set has none of its own.
        cache: Folder for unpacked packs; ``data_local`` in the current folder by default.
        test_fold: Which of published folds is tested, where a data set has them (`esc10`).

    Raises:
        DataError: If there is no such data set, or it is missing or not as published.
    """
    entry = DATASETS.get(name_or_folder)
    path = Path(name_or_folder)
    if entry is None and path.is_dir():
        return folder.open_folder(path, seed=seed)
    if entry is None and path.is_file():
        raise DataError(f"{name_or_folder}: expected media, found a file; {_FEATURES_AS_THEY_ARE}")
    if entry is None:
        raise DataError(
            f"{name_or_folder}: expected a folder or one of {', '.join(sorted(DATASETS))}"
        )
    if entry.open is None:
        raise DataError(
            f"{name_or_folder}: expected media, but these are features ({entry.how_to_get}); "
            f"{_FEATURES_AS_THEY_ARE}"
        )
    return entry.open(root, OpenOptions(seed=seed, cache=cache, test_fold=test_fold))


def _open_folder(root: Path | None, options: OpenOptions) -> Dataset:
    if root is None:
        raise DataError(f"{folder.NAME}: expected a folder, found none; {folder.HOW_TO_GET}")
    return folder.open_folder(root, seed=options.seed)


def _open_triples(of: TripleSet, rendition: str, root: Path | None, _: OpenOptions) -> Dataset:
    return triples_dataset.open_triples(root, rendition=rendition, of=of)


def _triples() -> dict[str, DatasetEntry]:
    """Sets of triples, each with every rendition of the sound."""
    return {
        triples_dataset.dataset_name(of.name, rendition): DatasetEntry(
            of.licence, of.citation, of.how_to_get, partial(_open_triples, of, rendition)
        )
        for of in triples_dataset.TRIPLE_SETS
        for rendition in of.renditions
    }


DATASETS: Final[Mapping[str, DatasetEntry]] = MappingProxyType(
    {
        folder.NAME: DatasetEntry(folder.LICENCE, folder.CITATION, folder.HOW_TO_GET, _open_folder),
        fsdd_mnist.NAME: DatasetEntry(
            fsdd_mnist.LICENCE,
            fsdd_mnist.CITATION,
            fsdd_mnist.HOW_TO_GET,
            lambda root, options: fsdd_mnist.open_fsdd_mnist(root, cache=options.cache),
        ),
        av_animals.NAME: DatasetEntry(
            av_animals.LICENCE,
            av_animals.CITATION,
            av_animals.HOW_TO_GET,
            lambda root, options: av_animals.open_av_animals(
                root, cache=options.cache, seed=options.seed
            ),
        ),
        esc10.NAME: DatasetEntry(
            esc10.LICENCE,
            esc10.CITATION,
            esc10.HOW_TO_GET,
            lambda root, options: esc10.open_esc10(
                root, cache=options.cache, test_fold=options.test_fold
            ),
        ),
        picture_classes.TINY_IMAGENET: DatasetEntry(
            picture_classes.TINY_IMAGENET_LICENCE,
            picture_classes.TINY_IMAGENET_CITATION,
            picture_classes.TINY_IMAGENET_HOW_TO_GET,
            lambda root, options: picture_classes.open_tiny_imagenet(
                root, cache=options.cache, seed=options.seed
            ),
        ),
        picture_classes.CALTECH101: DatasetEntry(
            picture_classes.CALTECH101_LICENCE,
            picture_classes.CALTECH101_CITATION,
            picture_classes.CALTECH101_HOW_TO_GET,
            lambda root, options: picture_classes.open_caltech101(
                root, cache=options.cache, seed=options.seed
            ),
        ),
        scenes_dataset.NAME: DatasetEntry(
            scenes_dataset.LICENCE,
            scenes_dataset.CITATION,
            scenes_dataset.HOW_TO_GET,
            lambda root, options: scenes_dataset.open_scenes(root, seed=options.seed),
        ),
        songs_dataset.NAME: DatasetEntry(
            songs_dataset.LICENCE,
            songs_dataset.CITATION,
            songs_dataset.HOW_TO_GET,
            lambda root, _: songs_dataset.open_songs(root),
        ),
        **_triples(),
        vegas.NAME: DatasetEntry(vegas.LICENCE, vegas.CITATION, vegas.HOW_TO_GET, None),
        ave.NAME: DatasetEntry(ave.LICENCE, ave.CITATION, ave.HOW_TO_GET, None),
        feature_file.NAME: DatasetEntry(
            feature_file.LICENCE, feature_file.CITATION, feature_file.HOW_TO_GET, None
        ),
    }
)
