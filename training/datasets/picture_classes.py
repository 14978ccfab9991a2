"""Data sets of pictures in one folder per class: tiny-imagenet and Caltech-101."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.datasets.packs import Pack, find_pack
from training.datasets.split import assign_splits

TINY_IMAGENET: Final = "tiny-imagenet"
TINY_IMAGENET_LICENCE: Final = (
    "ImageNet terms: non-commercial research and education only, no redistribution"
)
TINY_IMAGENET_CITATION: Final = (
    'Deng et al., "ImageNet", CVPR 2009; Le and Yang, Tiny ImageNet (CS231N), 2015'
)
TINY_IMAGENET_HOW_TO_GET: Final = "tiny_imagenet_subset.tar.xz (tiny-imagenet-200/train)"
CALTECH101: Final = "caltech101"
CALTECH101_LICENCE: Final = "CC BY 4.0 by CaltechDATA (not verified); research and testing"
CALTECH101_CITATION: Final = (
    'Fei-Fei, Fergus, Perona, "Learning generative visual models from few training examples", '
    "CVPR Workshop 2004"
)
CALTECH101_HOW_TO_GET: Final = "caltech101_subset.tar (101_ObjectCategories)"
_TINY_PACK: Final = Pack("tiny_imagenet_subset", "tiny_imagenet_subset.tar.xz", "tiny-imagenet-200")
_CALTECH_PACK: Final = Pack("caltech101_subset", "caltech101_subset.tar", "101_ObjectCategories")


def open_tiny_imagenet(
    root: Path | None, *, cache: Path | None = None, seed: int = 0
) -> ListedDataset:
    """List the pictures of all synsets, 64 x 64; 10 % test and 5 % validate, by id and seed.

    Raises:
        DataError: If the pack is missing or holds no pictures.
    """
    folder = find_pack(_TINY_PACK, root, cache=cache) / "train"
    examples = _examples(folder.glob("*/images/*.JPEG"), level=1, seed=seed)
    return _listed(
        TINY_IMAGENET, TINY_IMAGENET_LICENCE, TINY_IMAGENET_CITATION, tuple(examples), folder
    )


def open_caltech101(
    root: Path | None, *, cache: Path | None = None, seed: int = 0
) -> ListedDataset:
    """List the pictures of all classes; 10 % test and 5 % validate, by id and seed.

    Raises:
        DataError: If the pack is missing or holds no pictures.
    """
    folder = find_pack(_CALTECH_PACK, root, cache=cache)
    examples = _examples(folder.glob("*/*.jpg"), level=0, seed=seed)
    return _listed(CALTECH101, CALTECH101_LICENCE, CALTECH101_CITATION, tuple(examples), folder)


def _examples(paths: Iterator[Path], *, level: int, seed: int) -> Iterator[Example]:
    """Yield a picture each; the class is the folder so many levels above that of the file."""
    found = {
        f"{path.parents[level].name}/{path.stem}": (path, path.parents[level].name)
        for path in sorted(paths)
    }
    strata = {name: label for name, (_, label) in found.items()}
    splits = assign_splits(strata, seed=seed, validation=0.05, test=0.10)
    for name, (path, label) in found.items():
        yield Example(name, Modality.IMAGE, label, splits[name], path=path)


def _listed(
    name: str, licence: str, citation: str, examples: tuple[Example, ...], folder: Path
) -> ListedDataset:
    if not examples:
        raise DataError(f"{folder}: expected a folder of pictures per class, found none")
    classes = tuple(sorted({one.label for one in examples if one.label}))
    return ListedDataset(name, licence, citation, classes, paired=False, listed=examples)
