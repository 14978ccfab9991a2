"""ESC-10: environmental sounds of ten classes in folds that keep the clips of a recording together.

The pack holds folds 1 to 4. One is tested; the one before it (4 before 1) validates.
"""

from pathlib import Path
from typing import Final

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.datasets.packs import Pack, find_pack
from training.datasets.split import TEST, TRAIN, VALIDATION

NAME: Final = "esc10"
LICENCE: Final = "data set CC BY 3.0; clips CC0, CC BY 3.0 and CC Sampling+"
CITATION: Final = (
    'Piczak, "ESC: Dataset for Environmental Sound Classification", ACM MM 2015, '
    "doi 10.1145/2733373.2806390"
)
HOW_TO_GET: Final = "esc10.tar (ESC-10/NNN - Class/fold-clip-take.ogg)"
FOLDS: Final = (1, 2, 3, 4)
_PACK: Final = Pack("esc10", "esc10.tar", "ESC-10")


def open_esc10(
    root: Path | None, *, cache: Path | None = None, test_fold: int = 4
) -> ListedDataset:
    """List the clips.

    Args:
        root: Folder of the pack; None looks into the cache only.
        cache: Folder for unpacked packs.
        test_fold: 1 to 4.

    Raises:
        DataError: If the pack is missing or not as published, or there is no such fold.
    """
    if test_fold not in FOLDS:
        raise DataError(f"test_fold: expected one of {FOLDS}, got {test_fold}")
    folder = find_pack(_PACK, root, cache=cache)
    paths = sorted(folder.glob("??? - */*.ogg"))
    if not paths:
        raise DataError(f"{folder}: expected folders like '001 - Dog bark' with sounds, found none")
    listed = [_example(path, test_fold) for path in paths]
    return ListedDataset(
        name=NAME,
        licence=LICENCE,
        citation=CITATION,
        classes=tuple(dict.fromkeys(one.label for one in listed if one.label)),
        paired=False,
        listed=tuple(listed),
    )


def _example(path: Path, test_fold: int) -> Example:
    fold = path.stem.partition("-")[0]
    if fold not in map(str, FOLDS):
        raise DataError(f"{path}: expected a fold of 1 to 4 at the start of the name")
    validation_fold = (test_fold - 2) % len(FOLDS) + 1
    split = {test_fold: TEST, validation_fold: VALIDATION}.get(int(fold), TRAIN)
    label = path.parent.name.partition(" - ")[2].lower()
    return Example(f"{label}/{path.stem}", Modality.AUDIO, label, split, path=path)
