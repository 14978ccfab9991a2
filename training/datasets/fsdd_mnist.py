"""Spoken digits (FSDD) and written digits (MNIST): two modalities that share ten classes, no pairs.

Train: FSDD recordings with index 10 and up, MNIST digits 0 to 5,999 of the t10k file.
Test: FSDD recordings 5 to 9, MNIST digits 7,000 to 7,999. What lies between is not used.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import PIL.Image

from models.errors import DataError
from models.types import Modality, UInt8Array
from training.datasets.example import Example, ListedDataset
from training.datasets.packs import Pack, find_pack
from training.datasets.split import TEST, TRAIN

NAME: Final = "fsdd-mnist"
LICENCE: Final = "FSDD: CC BY-SA 4.0. MNIST: commonly given as CC BY-SA 3.0 (not verified)"
CITATION: Final = (
    "Jackson et al., Free Spoken Digit Dataset. LeCun, Bottou, Bengio, Haffner, "
    '"Gradient-based learning applied to document recognition", Proc. IEEE 1998'
)
HOW_TO_GET: Final = (
    "fsdd.tar (free-spoken-digit-dataset/recordings as FLAC) and mnist_first8000.npz (the first "
    "8,000 digits of the t10k file) in one folder"
)

CLASSES: Final = tuple("0123456789")
_FSDD: Final = Pack("fsdd", "fsdd.tar", "free-spoken-digit-dataset/recordings")
_MNIST: Final = Pack("mnist", "mnist_first8000.npz", None)
_TEST_RECORDINGS: Final = range(5, 10)
_TRAIN_DIGITS: Final = range(6_000)
_TEST_DIGITS: Final = range(7_000, 8_000)


def open_fsdd_mnist(root: Path | None, *, cache: Path | None = None) -> ListedDataset:
    """List both sets.

    Args:
        root: Folder of the packs; None looks into the cache only.
        cache: Folder for unpacked packs.

    Raises:
        DataError: If a pack is missing or not as published.
    """
    recordings = find_pack(_FSDD, root, cache=cache)
    digits = find_pack(_MNIST, root, cache=cache)
    return ListedDataset(
        name=NAME,
        licence=LICENCE,
        citation=CITATION,
        classes=CLASSES,
        paired=False,
        listed=(*_spoken(recordings), *_written(digits)),
    )


def _spoken(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.flac")):
        digit, _, speaker_and_index = path.stem.partition("_")
        index = speaker_and_index.rpartition("_")[2]
        if digit not in CLASSES or not index.isdecimal():
            raise DataError(f"{path}: expected a name like 7_jackson_12.flac")
        if int(index) in _TEST_RECORDINGS:
            split = TEST
        elif int(index) >= _TEST_RECORDINGS.stop:
            split = TRAIN
        else:
            continue  # indices 0 to 4 are the published test set, kept for a last comparison
        yield Example(f"fsdd/{path.stem}", Modality.AUDIO, digit, split, path=path)


def _written(path: Path) -> Iterator[Example]:
    images, labels = _load(path)
    for split, rows in ((TRAIN, _TRAIN_DIGITS), (TEST, _TEST_DIGITS)):
        for row in rows:
            if row < len(images):
                yield Example(
                    f"mnist/{row:05d}",
                    Modality.IMAGE,
                    CLASSES[labels[row]],
                    split,
                    data=_png(images[row]),
                )


def _load(path: Path) -> tuple[UInt8Array, UInt8Array]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (OSError, EOFError, LookupError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: expected arrays images and labels, found: {error}") from error
    if images.dtype != np.uint8 or images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(
            f"{path}: expected uint8 images (N, 28, 28) and labels (N,), found {images.dtype} "
            f"{images.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise DataError(f"{path}: expected labels 0 to 9, found {labels.min()} to {labels.max()}")
    return images, labels


def _png(pixels: UInt8Array) -> bytes:
    """Encode one digit as it is stored (light ink on black)."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()
